"""The parts of R-CNN, worked by hand; tests/contract tests the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import presets, rcnn
from boxmask.detectors.rcnn import RCNN, RCNNConfig
from boxmask.pipeline.images import Batch
from boxmask.types import Target
from boxmask.weights.checkpoint import CheckpointMetadata, load_detector, save_checkpoint

SMALL = RCNNConfig(
    ("cat", "dog"),
    "test_resnet",
    shorter_side=64,
    longer_side=96,
    region_size=32,
    context=2,
    hidden=16,
    score_threshold=0.0,
)
NONE = torch.zeros(0, 4)
NOTHING = Target.of([], [])

Change = Callable[..., RCNN]


def made() -> RCNN:
    torch.manual_seed(0)
    return RCNN(SMALL).eval()


@pytest.fixture(scope="module")
def network() -> RCNN:
    """Before the SVMs are fitted. Tests must not change it."""
    return made()


@pytest.fixture
def with_options(network: RCNN, monkeypatch: pytest.MonkeyPatch) -> Change:
    """The same network with other options that do not change its layers."""

    def change(**options: object) -> RCNN:
        monkeypatch.setattr(network, "config", replace(network.config, **options))  # type: ignore[arg-type]
        return network

    return change


def fitted(**options: Tensor) -> RCNN:
    """A network with these SVMs and regressors."""
    network = made()
    network.load_state_dict({**network.state_dict(), "fitted": torch.tensor(True), **options})
    return network


# ---------------------------------------------------------------- section 2.3: the regions of a batch

OBJECTS = Target.of([[10, 10, 30, 30], [40, 40, 60, 60]], [1, 0])


def many(count: int, box: tuple[float, ...]) -> Tensor:
    return torch.tensor([box]).repeat(count, 1)


def photos(count: int) -> Batch:
    """Photos of 64 x 96; all pixels of photo i are i + 1."""
    pixels = torch.arange(1.0, count + 1)[:, None, None, None].expand(count, 3, 64, 96).contiguous()
    return Batch(pixels, [(64, 96)] * count, [(64, 96)] * count)


def drawn(network: RCNN, rois: list[Tensor], targets: list[Target]) -> tuple[list[int], list[int]]:
    """The photo and the label of each sampled region."""
    regions, labels = network.sample_regions(photos(len(rois)), rois, targets)
    assert regions.shape == (len(labels), 3, 32, 32)
    return (regions[:, 0, 16, 16].round() - 1).int().tolist(), labels.tolist()


NEAR, FAR = many(200, (10, 10, 30, 28)), many(200, (70, 10, 90, 30))


def test_32_objects_and_96_background_regions_from_the_whole_batch(network: RCNN) -> None:
    boxes = torch.cat([NEAR, FAR])
    origins, labels = drawn(network, [boxes, boxes, boxes], [OBJECTS] * 3)
    assert (labels.count(0) + labels.count(1), labels.count(2)) == (32, 96)
    shares = [origins.count(photo) for photo in range(3)]
    assert all(20 < share < 65 for share in shares)  # 43 on average


def test_photos_are_sampled_together(network: RCNN) -> None:
    """All 32 objects come from the one photo that has any."""
    origins, labels = drawn(network, [torch.cat([NEAR, FAR]), FAR], [OBJECTS, NOTHING])
    assert labels.count(0) + labels.count(1) == 32
    assert all(photo == 0 for photo, label in zip(origins, labels, strict=True) if label < 2)
    assert {photo for photo, label in zip(origins, labels, strict=True) if label == 2} == {0, 1}


def test_missing_objects_are_not_replaced_by_background(network: RCNN) -> None:
    _, labels = drawn(network, [torch.cat([NEAR[:5], FAR])], [OBJECTS])
    assert (labels.count(1), labels.count(0), labels.count(2)) == (6, 1, 96)  # with the ground truth


def test_all_regions_are_sampled_if_there_are_fewer(network: RCNN) -> None:
    origins, labels = drawn(network, [FAR[:3], NONE, FAR[:2]], [OBJECTS, NOTHING, NOTHING])
    assert sorted(zip(origins, labels, strict=True)) == [
        (0, 0),
        (0, 1),
        (0, 2),
        (0, 2),
        (0, 2),
        (2, 2),
        (2, 2),
    ]


def test_no_regions_at_all(network: RCNN) -> None:
    assert drawn(network, [NONE, NONE], [NOTHING, NOTHING]) == ([], [])


def test_a_region_is_an_object_from_iou_of_a_half_on(network: RCNN) -> None:
    """IoU 0.45 and 0.5 with the first, 0.5 with the second, and 0."""
    rois = torch.tensor([[10.0, 10, 30, 19], [10, 10, 30, 20], [40, 40, 50, 60], [70, 10, 90, 30]])
    _, labels = drawn(network, [rois], [OBJECTS])
    assert sorted(labels) == [0, 0, 1, 1, 2, 2]  # the two objects join
    boxes, of_each = network._label_regions(rois, OBJECTS)
    assert of_each.tolist() == [2, 1, 0, 2, 1, 0]
    assert boxes.tolist() == [*rois.tolist(), *OBJECTS.boxes.tolist()]


def test_regions_in_ignored_objects_are_left_out(network: RCNN) -> None:
    crowd = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, False])
    rois = torch.tensor([[12.0, 12, 28, 28], [40, 40, 60, 58], [70, 10, 90, 30]])
    boxes, labels = network._label_regions(rois, crowd)
    assert labels.tolist() == [0, 2, 0]
    assert boxes.tolist() == [[40, 40, 60, 58], [70, 10, 90, 30], [40, 40, 60, 60]]


def test_regions_keep_their_labels(network: RCNN) -> None:
    """Labels come in the order of the regions: bright where the object is, dark elsewhere."""
    batch = photos(2)
    batch.pixels.zero_()
    batch.pixels[:, :, 10:30, 10:30] = 1
    boxes = torch.cat([NEAR[:9], FAR[:9]])
    regions, labels = network.sample_regions(
        batch, [boxes, boxes.flip(0)], [Target.of([[10, 10, 30, 30]], [1])] * 2
    )
    assert len(labels) == 38
    assert torch.equal(regions[:, 0, 16, 16] == 1, labels == 1)


def test_the_loss_is_the_mean_log_loss(network: RCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    """For three equal scores it is log 3, for any number of regions."""
    monkeypatch.setattr(network.logits, "forward", lambda fc7: torch.zeros(len(fc7), 3))
    images = [torch.zeros(3, 64, 96), torch.zeros(3, 64, 96)]
    losses = network.loss(images, [OBJECTS, NOTHING], [FAR[:3], NONE])
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        {"region_class": math.log(3)}
    )


def test_a_step_without_regions_has_zero_loss_and_gradient(network: RCNN) -> None:
    loss = network.loss([torch.zeros(3, 64, 96)], [NOTHING], [NONE])["region_class"]
    assert loss.item() == 0
    loss.backward()
    assert not any(p.grad.any() for p in network.parameters() if p.grad is not None)
    network.zero_grad()


# ---------------------------------------------------------------- heads: SVMs

FC7 = torch.randn(40, 16, generator=torch.Generator().manual_seed(0)).abs()


def test_scores_are_the_softmax_until_the_svms_are_fitted(network: RCNN) -> None:
    expected = network.logits(FC7).softmax(dim=1)[:, :2]
    assert torch.equal(network.scores(FC7), expected)


def svm_weights_and_biases() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "svm_weights": torch.randn(2, 16, generator=generator),
        "svm_biases": torch.tensor([0.5, -0.5]),
        "calibration": torch.tensor([[2.0, -1.0], [0.5, 0.25]]),
    }


def test_margins_by_hand() -> None:
    weights = torch.zeros(2, 16)
    weights[0, 3], weights[1, 5] = 2, -1
    network = fitted(svm_weights=weights, svm_biases=torch.tensor([0.5, 0.25]))
    fc7 = torch.zeros(1, 16)
    fc7[0, 3], fc7[0, 5] = 4, 3
    assert network.svm_margins(fc7).tolist() == [[8.5, -2.75]]


def test_margins_are_scikit_learns() -> None:
    """For two SVMs that it fitted, with their weights copied."""
    is_object = [(FC7[:, k] > FC7[:, k].median()).numpy() for k in range(2)]
    machines = [LinearSVC(C=0.1, random_state=0).fit(FC7.numpy(), answers) for answers in is_object]
    weights = torch.from_numpy(np.concatenate([one.coef_ for one in machines])).float()
    biases = torch.from_numpy(np.concatenate([one.intercept_ for one in machines])).float()
    margins = fitted(svm_weights=weights, svm_biases=biases).svm_margins(FC7)
    theirs = np.stack([one.decision_function(FC7.numpy()) for one in machines], axis=1)
    np.testing.assert_allclose(margins.numpy(), theirs, rtol=0, atol=1e-5)


def test_scores_are_calibrated_margins() -> None:
    network = fitted(**svm_weights_and_biases())
    margins, scores = network.svm_margins(FC7), network.scores(FC7)
    torch.testing.assert_close(scores[:, 0], 1 / (1 + torch.exp(-(2 * margins[:, 0] - 1))))
    torch.testing.assert_close(scores[:, 1], 1 / (1 + torch.exp(-(0.5 * margins[:, 1] + 0.25))))


def test_scores_rank_as_margins_do() -> None:
    network = fitted(**svm_weights_and_biases())
    margins, scores = network.svm_margins(FC7), network.scores(FC7)
    for k in range(2):
        assert torch.equal(scores[:, k].argsort(), margins[:, k].argsort())


def test_a_class_without_examples_has_score_0() -> None:
    """Its bias is BIAS_WITHOUT_POSITIVES; no calibration raises its score."""
    network = fitted(svm_weights=torch.zeros(2, 16), svm_biases=torch.tensor([-1e4, 0.0]))
    assert network.scores(FC7)[:, 0].tolist() == [0.0] * 40


# ---------------------------------------------------------------- heads: box regressors

NUMBERS = 96  # of pool5: one cell of 96 channels


def regressors() -> dict[str, Tensor]:
    """A cat moves right by pool5[0] of its width, a dog becomes exp(pool5[1] + log 2) times as high."""
    weights, biases = torch.zeros(2, 4, NUMBERS), torch.zeros(2, 4)
    weights[0, 0, 0], weights[1, 3, 1], biases[1, 3] = 1, 1, math.log(2)
    return {"regressor_weights": weights, "regressor_biases": biases}


def test_deltas_by_hand() -> None:
    pool5 = torch.zeros(2, NUMBERS)
    pool5[0, 0], pool5[1, 1] = 0.5, 0.25
    deltas = fitted(**regressors()).deltas(pool5)
    expected = torch.zeros(2, 2, 4)
    expected[0, 0, 0], expected[0, 1, 3], expected[1, 1, 3] = 0.5, math.log(2), 0.25 + math.log(2)
    torch.testing.assert_close(deltas, expected)


def test_regressed_boxes_by_hand() -> None:
    """In a photo that is half as large in the network; the region of 20 x 20."""
    weights = torch.zeros(2, 16)
    weights[0, 0], weights[1, 1] = 1, 1
    network = fitted(**regressors(), svm_weights=weights)
    pool5, fc7 = torch.zeros(1, NUMBERS), torch.zeros(1, 16)
    pool5[0, 0], fc7[0, 0], fc7[0, 1] = 0.5, 2, 1
    batch = Batch(torch.zeros(1, 3, 64, 96), [(64, 96)], [(128, 192)])
    outputs = network.scores(fc7), network.deltas(pool5)
    found = network.postprocess(*outputs, torch.tensor([[10.0, 20, 30, 40]]), batch, 0)
    assert found.names == ["cat", "dog"]
    torch.testing.assert_close(
        torch.from_numpy(found.boxes), torch.tensor([[40.0, 40, 80, 80], [20, 20, 60, 100]])
    )
    torch.testing.assert_close(torch.from_numpy(found.scores), torch.sigmoid(torch.tensor([2.0, 1.0])))


def test_only_the_top_regions_of_each_class_enter_nms() -> None:
    """As in the authors' code, also for a rare class with low scores."""
    network = fitted()
    network.config = replace(network.config, pre_nms_top_k=2, score_threshold=0.0)
    boxes = torch.tensor([[0.0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9], [60, 0, 69, 9]])
    scores = torch.tensor([[0.9, 0.001], [0.8, 0.004], [0.7, 0.002], [0.6, 0.003]])
    batch = Batch(torch.zeros(1, 3, 64, 96), [(64, 96)], [(64, 96)])
    found = network.postprocess(scores, torch.zeros(4, 2, 4), boxes, batch, 0)
    torch.testing.assert_close(torch.from_numpy(found.scores), torch.tensor([0.9, 0.8, 0.004, 0.003]))


def test_boxes_are_not_refined_before_regressors_are_fitted(network: RCNN) -> None:
    assert not network.deltas(torch.randn(3, NUMBERS)).any()


# ---------------------------------------------------------------- features

PHOTO = torch.randint(0, 256, (3, 128, 192), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
GIVEN = torch.tensor(
    [[20.0, 20, 60, 60], [100, 40, 180, 120], [0, 0, 192, 128], [50, 90, 90, 100], [5, 5, 30, 90]]
)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_the_region_batch_size_does_not_change_results(with_options: Change, at_once: int) -> None:
    together = with_options(region_batch_size=128).predict(PHOTO, proposals=GIVEN)
    parted = with_options(region_batch_size=at_once).predict(PHOTO, proposals=GIVEN)
    torch.testing.assert_close(parted.scores, together.scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(parted.boxes, together.boxes)


def test_the_region_batch_size_is_not_exceeded(with_options: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    network, sizes = with_options(region_batch_size=2), list[int]()
    forward = network.forward
    monkeypatch.setattr(network, "forward", lambda regions: (sizes.append(len(regions)), forward(regions))[1])
    network.predict(PHOTO, proposals=GIVEN)
    assert sizes == [2, 2, 1]


def test_pool5_is_the_last_map_and_fc7_what_two_layers_make_of_it(network: RCNN) -> None:
    regions = torch.randn(2, 3, 32, 32)
    pool5, fc7 = network(regions)
    assert (pool5.shape, fc7.shape) == ((2, NUMBERS), (2, 16))
    torch.testing.assert_close(pool5, network.backbone(regions)[-1].flatten(1))
    hidden = F.relu(F.linear(pool5, network.fc6.weight, network.fc6.bias))
    torch.testing.assert_close(fc7, F.relu(F.linear(hidden, network.fc7.weight, network.fc7.bias)))


# ---------------------------------------------------------------- proposals


def test_given_proposals_replace_the_search(network: RCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rcnn, "selective_search", lambda *_: GIVEN)
    searched = network.predict(PHOTO)
    monkeypatch.setattr(rcnn, "selective_search", lambda *_: pytest.fail("searched all the same"))
    given = network.predict(PHOTO, proposals=GIVEN)
    assert np.array_equal(given.boxes, searched.boxes)
    assert np.array_equal(given.scores, searched.scores)
    assert set(network.loss([PHOTO], [OBJECTS], [GIVEN])) == {"region_class"}


def test_a_photo_without_proposals_has_no_detections(network: RCNN) -> None:
    nothing, something = network.predict([PHOTO, PHOTO], proposals=[NONE, GIVEN])
    assert len(nothing) == 0
    assert len(something) > 0


def test_regions_are_cropped_from_their_own_photo(network: RCNN) -> None:
    """The padding of the smaller photo is not read."""
    other = PHOTO[:, :100, :150].flip(2)
    boxes = torch.tensor([[100.0, 60, 150, 100], [0, 0, 150, 100]])
    together = network.predict([PHOTO, other], proposals=[GIVEN, boxes])
    alone = [network.predict(PHOTO, proposals=GIVEN), network.predict(other, proposals=boxes)]
    for ours, theirs in zip(together, alone, strict=True):
        torch.testing.assert_close(ours.scores, theirs.scores, rtol=0, atol=1e-5)


# ---------------------------------------------------------------- checkpoints, presets


def test_a_checkpoint_keeps_svms_and_regressors(tmp_path: Path) -> None:
    network = fitted(**svm_weights_and_biases(), **regressors())
    metadata = CheckpointMetadata("rcnn", asdict(network.config))
    save_checkpoint(tmp_path / "x.safetensors", network.state_dict(), metadata)
    loaded = load_detector(tmp_path / "x.safetensors")
    assert isinstance(loaded, RCNN)
    assert loaded.fitted
    ours, theirs = network.predict(PHOTO, proposals=GIVEN), loaded.predict(PHOTO, proposals=GIVEN)
    assert len(ours) > 0
    assert np.array_equal(ours.boxes, theirs.boxes)
    assert np.array_equal(ours.scores, theirs.scores)
    assert torch.equal(loaded.svm_margins(FC7), network.svm_margins(FC7))


def test_the_papers_hyperparameters() -> None:
    config = RCNNConfig(("a",), **presets.RCNN["paper"])  # type: ignore[arg-type]
    assert (config.backbone, config.region_size, config.context, config.hidden) == ("vgg16", 224, 16, 4096)
    assert config.region_size // config.stride == 7  # so that VGG16's classifier fits
    assert (config.roi_iou, config.positives_per_batch, config.negatives_per_batch) == (0.5, 32, 96)
    assert config.nms_iou == 0.3

"""The parts of Fast R-CNN, worked by hand; tests/contract tests the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import fast_rcnn, presets
from boxmask.detectors.fast_rcnn import (
    FastRCNN,
    FastRCNNConfig,
    compress_with_svd,
    roi_loss,
)
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.errors import UsageError
from boxmask.geometry.boxes import encode
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.pipeline.features.vgg_classifier import load_vgg_classifier
from boxmask.pipeline.heads.box import BoxHead
from boxmask.pipeline.images import Batch
from boxmask.pipeline.roi_sampling import RoiSampling, match_rois, sample_rois
from boxmask.types import Target
from boxmask.weights.checkpoint import CheckpointMetadata, load_detector, save_checkpoint

SMALL = FastRCNNConfig(
    ("cat", "dog"),
    "test_resnet",
    shorter_side=64,
    longer_side=96,
    stride=8,
    hidden=16,
    score_threshold=0.01,
)
NONE = torch.zeros(0, 4)

Change = Callable[..., FastRCNN]


@pytest.fixture(scope="module")
def network() -> FastRCNN:
    torch.manual_seed(0)
    return FastRCNN(SMALL).eval()


@pytest.fixture
def with_options(network: FastRCNN, monkeypatch: pytest.MonkeyPatch) -> Change:
    """The same network with other options that do not change its layers."""

    def change(**options: object) -> FastRCNN:
        monkeypatch.setattr(network, "config", replace(network.config, **options))  # type: ignore[arg-type]
        return network

    return change


# ---------------------------------------------------------------- section 2.3: which RoIs are what

OBJECTS = Target.of([[10, 10, 30, 30], [60, 60, 80, 80]], [1, 0])
ROIS = torch.tensor(
    [
        [10.0, 10, 30, 30],  # the first object itself
        [10, 10, 30, 20],  # IoU 0.5
        [10, 10, 30, 19],  # 0.45
        [60, 60, 80, 62],  # 0.1, with the second
        [60, 60, 80, 61.8],  # 0.09
        [40, 40, 50, 50],  # nothing
    ]
)
PAPER = (0.1, 0.5)


def test_background_lies_between_the_two_ious() -> None:
    assert match_rois(ROIS, OBJECTS, PAPER).tolist() == [0, 0, BACKGROUND, BACKGROUND, IGNORE, IGNORE]


def test_background_from_iou_0_on() -> None:
    """As in Faster R-CNN."""
    assert match_rois(ROIS, OBJECTS, (0.0, 0.5)).tolist() == [0, 0] + [BACKGROUND] * 4


def test_a_photo_without_objects_is_all_background() -> None:
    assert match_rois(ROIS, Target.of([], []), PAPER).tolist() == [BACKGROUND] * 6


def test_ignored_objects_attract_no_background() -> None:
    """Regions in or near an ignored object are ignored; those near the other object are background."""
    crowd = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, False])
    assert match_rois(ROIS, crowd, PAPER).tolist() == [IGNORE] * 3 + [BACKGROUND, IGNORE, IGNORE]
    alone = Target.of(OBJECTS.boxes[:1], [1], [True])
    assert match_rois(ROIS, alone, PAPER).tolist() == [IGNORE] * 3 + [BACKGROUND] * 3


# ---------------------------------------------------------------- section 2.3: sampling

HOW = RoiSampling(PAPER, 64, 0.25, 2)


def many(count: int, box: tuple[float, ...]) -> Tensor:
    return torch.tensor([box]).repeat(count, 1)


def test_a_quarter_of_64_rois_are_objects() -> None:
    near, background, far = (
        many(100, (10, 10, 30, 28)),
        many(300, (10, 10, 30, 15)),
        many(300, (40, 40, 50, 50)),
    )
    kept, labels, deltas, *_ = sample_rois([torch.cat([near, background, far])], [OBJECTS], HOW)
    assert len(kept[0]) == len(labels) == len(deltas) == 64
    assert (labels < 2).tolist() == [True] * 16 + [False] * 48  # the background comes after the classes
    assert (labels[16:] == 2).all()
    assert (kept[0][16:] == background[0]).all()
    assert not deltas[16:].any()


def test_background_fills_the_places_without_objects() -> None:
    kept, labels, *_ = sample_rois([many(300, (10, 10, 30, 15))], [OBJECTS], HOW)
    assert len(kept[0]) == 64
    assert int((labels == 2).sum()) == 62  # two objects, the ground truth


def test_64_rois_per_photo() -> None:
    boxes = torch.cat([many(100, (10, 10, 30, 28)), many(100, (10, 10, 30, 15))])
    kept, labels, *_ = sample_rois([boxes, boxes], [OBJECTS, Target.of([], [])], HOW)
    assert [len(rois) for rois in kept] == [64, 64]
    assert (labels[64:] == 2).all()


def test_ground_truth_is_added_to_the_proposals() -> None:
    kept, labels, deltas, *_ = sample_rois([NONE], [OBJECTS], HOW)
    assert sorted(kept[0].tolist()) == OBJECTS.boxes.tolist()
    assert sorted(labels.tolist()) == [0, 1]
    assert not deltas.any()


def test_ignored_ground_truth_is_not_added() -> None:
    crowd = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, False])
    kept, labels, *_ = sample_rois([NONE], [crowd], HOW)
    assert (kept[0].tolist(), labels.tolist()) == ([[60, 60, 80, 80]], [0])


def test_deltas_are_from_roi_to_object() -> None:
    rois = torch.tensor([[60.0, 60, 80, 78]])
    kept, labels, deltas, *_ = sample_rois([rois], [OBJECTS], HOW)
    row = kept[0].tolist().index(rois[0].tolist())
    assert labels[row] == 0
    torch.testing.assert_close(deltas[row], torch.tensor([0, 1 / 18, 0, math.log(20 / 18)]))


def test_no_boxes_at_all_give_no_rois() -> None:
    kept, labels, deltas, *_ = sample_rois([NONE, NONE], [Target.of([], [])] * 2, HOW)
    assert [len(rois) for rois in kept] == [0, 0]
    assert (len(labels), deltas.shape) == (0, (0, 4))


# ---------------------------------------------------------------- section 2.3: the loss


NO_ROWS = torch.zeros(0, dtype=torch.int64)


def test_background_has_no_box_loss() -> None:
    logits, deltas = torch.randn(5, 3, requires_grad=True), torch.randn(5, 2, 4, requires_grad=True)
    losses = roi_loss(logits, deltas, torch.full((5,), 2), torch.zeros(5, 4), 1.0, NO_ROWS)
    assert losses["roi_box"].item() == 0
    torch.testing.assert_close(losses["roi_class"], F.cross_entropy(logits, torch.full((5,), 2)))
    losses["roi_box"].backward()
    assert deltas.grad is not None
    assert not deltas.grad.any()


def test_no_rois_give_zero_loss() -> None:
    losses = roi_loss(torch.zeros(0, 3), torch.zeros(0, 2, 4), NO_ROWS, torch.zeros(0, 4), 1.0, NO_ROWS)
    assert [loss.item() for loss in losses.values()] == [0, 0]


def test_only_the_deltas_of_the_true_class_get_a_gradient() -> None:
    deltas = torch.zeros(3, 2, 4, requires_grad=True)
    labels, targets = torch.tensor([1, 2, 0]), torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 2, 0]])
    losses = roi_loss(torch.zeros(3, 3), deltas, labels, targets, 1.0, torch.tensor([0, 2]))
    assert losses["roi_box"].item() == pytest.approx((0.5 + 1.5) / 3)
    losses["roi_box"].backward()
    assert deltas.grad is not None
    assert deltas.grad.nonzero().tolist() == [[0, 1, 0], [2, 0, 2]]


# ---------------------------------------------------------------- section 2.3: normalized targets

MEAN = torch.tensor([[0.3, -0.2, 0.1, 0.4], [-0.1, 0.5, 0.2, -0.3]])
STD = torch.tensor([[0.2, 0.4, 0.5, 0.1], [0.3, 0.6, 0.25, 0.8]])


@pytest.fixture(scope="module")
def normalizing() -> FastRCNN:
    network = FastRCNN(SMALL).eval()
    network.load_state_dict({**network.state_dict(), "delta_mean": MEAN, "delta_std": STD})
    return network


def test_target_deltas_are_normalized_by_class(normalizing: FastRCNN) -> None:
    deltas = torch.tensor([[0.5, 0.2, 0.6, 0.5], [0.2, 0.5, 0.2, 0.5], [0, 0, 0, 0]])
    found = normalizing.normalize_deltas(deltas, torch.tensor([0, 1, 2]))
    torch.testing.assert_close(found[:2], torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 1]]))


def test_predict_undoes_the_normalization_of_the_loss(normalizing: FastRCNN) -> None:
    rois, labels = ROIS[[1, 3]], torch.tensor([1, 0])
    wanted = normalizing.normalize_deltas(encode(rois, OBJECTS.boxes), labels)
    logits = torch.full((2, 3), -9.0)
    logits[[0, 1], labels] = 9.0
    batch = Batch(torch.zeros(1, 3, 100, 100), [(100, 100)], [(100, 100)])
    (found,) = normalizing.postprocess(logits, wanted[:, None].expand(2, 2, 4), [rois], batch)
    best = dict(zip(found.names, found.boxes, strict=True))
    torch.testing.assert_close(torch.from_numpy(best["dog"]), OBJECTS.boxes[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.from_numpy(best["cat"]), OBJECTS.boxes[1], rtol=0, atol=1e-4)


def test_the_loss_uses_normalized_targets(normalizing: FastRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a network whose outputs are zero, and an object that the RoI matches exactly."""

    def silent(pixels: Tensor, rois: list[Tensor]) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(rois[0]), 3), torch.zeros(len(rois[0]), 2, 4)

    monkeypatch.setattr(normalizing, "forward", silent)
    losses = normalizing.loss([torch.zeros(3, 64, 96)], [Target.of(OBJECTS.boxes[:1], [1])], [NONE])
    error = (MEAN[1] / STD[1]).abs()
    smooth = torch.where(error < 1, error**2 / 2, error - 0.5)
    torch.testing.assert_close(losses["roi_box"], smooth.sum())
    assert losses["roi_class"].item() == pytest.approx(math.log(3))


def test_a_new_network_has_the_default_delta_statistics(network: FastRCNN) -> None:
    assert network.delta_std.tolist() == torch.tensor([[0.1, 0.1, 0.2, 0.2]] * 2).tolist()
    assert not network.delta_mean.any()


# ---------------------------------------------------------------- RoI features


def test_the_gradient_of_roi_max_pooling_goes_to_the_maxima(with_options: Change) -> None:
    """Section 2.3, "Back-propagation through RoI pooling layers": a cell sums over its RoIs."""
    network = with_options(pool_size=2)
    features = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()  # a photo of 32 x 32
    rois = torch.tensor([[0.0, 0, 24, 24], [16, 16, 24, 24]])  # the cells 0..3 and 2..3: RoIPool rounds
    pooled = network.pool(features, [rois])
    assert pooled[:, 0].tolist() == [[[5, 7], [13, 15]], [[10, 11], [14, 15]]]
    pooled.sum().backward()
    assert features.grad is not None
    expected = torch.zeros(16)
    expected[[5, 7, 13, 10, 11, 14]], expected[15] = 1, 2
    assert torch.equal(features.grad.flatten(), expected)


# ---------------------------------------------------------------- proposals

PHOTO = torch.randint(0, 256, (3, 128, 192), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
GIVEN = torch.tensor([[20.0, 20, 60, 60], [100, 40, 180, 120]])  # in pixels of the photo


def test_given_proposals_replace_the_search(network: FastRCNN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_rcnn, "selective_search", lambda *_: GIVEN)
    searched = network.predict(PHOTO)
    monkeypatch.setattr(fast_rcnn, "selective_search", lambda *_: pytest.fail("searched all the same"))
    given = network.predict(PHOTO, proposals=GIVEN)
    assert np.array_equal(given.boxes, searched.boxes)
    assert np.array_equal(given.scores, searched.scores)
    assert not np.array_equal(network.predict(PHOTO, proposals=GIVEN / 2).boxes, given.boxes)
    target = Target.of([[20, 20, 60, 50]], [0])
    assert set(network.loss([PHOTO], [target], [GIVEN])) == {"roi_class", "roi_box"}


def test_given_proposals_are_in_pixels_of_the_photo(
    network: FastRCNN, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The photo is twice as large as in the network."""
    seen: list[Tensor] = []
    forward = network.forward
    monkeypatch.setattr(
        network, "forward", lambda pixels, rois: (seen.extend(rois), forward(pixels, rois))[1]
    )
    network.predict([PHOTO, PHOTO], proposals=[GIVEN, GIVEN[:1]])
    assert [boxes.tolist() for boxes in seen] == [(GIVEN / 2).tolist(), (GIVEN[:1] / 2).tolist()]


def test_a_photo_without_proposals_has_no_detections(network: FastRCNN) -> None:
    nothing, something = network.predict([PHOTO, PHOTO], proposals=[NONE, GIVEN])
    assert len(nothing) == 0
    assert len(something) > 0
    assert len(network.predict(PHOTO, proposals=NONE)) == 0


def test_a_step_without_boxes_has_zero_loss_and_gradient(network: FastRCNN) -> None:
    losses = network.loss([PHOTO], [Target.of([], [])], [NONE])
    assert [loss.item() for loss in losses.values()] == [0, 0]
    torch.stack(list(losses.values())).sum().backward()
    assert not any(p.grad.any() for p in network.parameters() if p.grad is not None)
    network.zero_grad()


# ---------------------------------------------------------------- VGG's classifier (section 2.1)


def vgg_weights(channels: int, pool: int, hidden: int) -> dict[str, Tensor]:
    """timm's VGG has them as convolutions over the last map."""
    torch.manual_seed(1)
    return {
        "pre_logits.fc1.weight": torch.randn(hidden, channels, pool, pool),
        "pre_logits.fc1.bias": torch.randn(hidden),
        "pre_logits.fc2.weight": torch.randn(hidden, hidden, 1, 1),
        "pre_logits.fc2.bias": torch.randn(hidden),
    }


def test_fully_connected_layers_equal_vggs_convolutions() -> None:
    head, weights = BoxHead(2, 1, 3, 4), vgg_weights(2, 3, 4)
    load_vgg_classifier((head.fc6, head.fc7), weights)
    rois = torch.randn(5, 2, 3, 3)
    first = F.conv2d(rois, weights["pre_logits.fc1.weight"], weights["pre_logits.fc1.bias"])
    torch.testing.assert_close(head.fc6(rois.flatten(1)), first.flatten(1))
    second = F.conv2d(first, weights["pre_logits.fc2.weight"], weights["pre_logits.fc2.bias"])
    torch.testing.assert_close(head.fc7(first.flatten(1)), second.flatten(1))


def changed_by(head: BoxHead, weights: dict[str, Tensor] | None) -> set[str]:
    before = {name: tensor.clone() for name, tensor in head.state_dict().items()}
    load_vgg_classifier((head.fc6, head.fc7), weights)
    return {name for name, tensor in head.state_dict().items() if not torch.equal(tensor, before[name])}


def test_other_layers_keep_their_weights() -> None:
    both = {"fc6.weight", "fc6.bias", "fc7.weight", "fc7.bias"}
    assert changed_by(BoxHead(2, 1, 3, 4), vgg_weights(2, 3, 4)) == both


def test_layers_of_another_size_stay_newly_initialized() -> None:
    """Neither weights nor bias are copied: a bias is useless without its weights."""
    assert changed_by(BoxHead(2, 1, 2, 4), vgg_weights(2, 3, 4)) == {"fc7.weight", "fc7.bias"}
    assert changed_by(BoxHead(2, 1, 3, 5), vgg_weights(2, 3, 4)) == set()
    assert changed_by(BoxHead(2, 1, 3, 4, svd_ranks=(2, 2)), vgg_weights(2, 3, 4)) == set()


@pytest.mark.parametrize("weights", [None, {}, {"head.fc.weight": torch.zeros(3, 3)}])
def test_other_backbones_have_no_classifier_to_load(weights: dict[str, Tensor] | None) -> None:
    assert changed_by(BoxHead(2, 1, 3, 4), weights) == set()


def test_timms_vgg16_has_these_layers_in_the_papers_sizes() -> None:
    with torch.device("meta"):
        state = timm.create_model("vgg16").state_dict()
    assert state["pre_logits.fc1.weight"].shape == (
        presets.FAST_RCNN["paper"]["hidden"],
        512,
        SMALL.pool_size,
        SMALL.pool_size,
    )
    assert state["pre_logits.fc2.weight"].shape == (4096, 4096, 1, 1)


# ---------------------------------------------------------------- truncated SVD (section 3.1)


def with_hidden(hidden: int = 16) -> FastRCNN:
    torch.manual_seed(0)
    return FastRCNN(replace(SMALL, hidden=hidden)).eval()


def test_svd_at_full_rank_gives_the_same_detections() -> None:
    detector = with_hidden()
    before = detector.predict(PHOTO, proposals=GIVEN)
    compress_with_svd(detector, (16, 16))
    after = detector.predict(PHOTO, proposals=GIVEN)
    torch.testing.assert_close(after.scores, before.scores, rtol=0, atol=1e-5)
    torch.testing.assert_close(after.boxes, before.boxes, rtol=0, atol=1e-3)


def test_a_compressed_detector_can_be_saved_and_loaded(tmp_path: Path) -> None:
    detector = with_hidden()
    compress_with_svd(detector, (8, 4))
    metadata = CheckpointMetadata("fast-rcnn", asdict(detector.config))
    save_checkpoint(tmp_path / "x.safetensors", detector.state_dict(), metadata)
    loaded = load_detector(tmp_path / "x.safetensors")
    assert loaded.config == detector.config
    assert loaded.config.svd_ranks == (8, 4)
    theirs = detector.predict(PHOTO, proposals=GIVEN)
    assert np.array_equal(loaded.predict(PHOTO, proposals=GIVEN).scores, theirs.scores)


@pytest.mark.parametrize(("ranks", "wrong"), [((0, 4), 0), ((17, 4), 17), ((4, 17), 17), ((4, -1), -1)])
def test_ranks_out_of_range_are_refused(ranks: tuple[int, int], wrong: int) -> None:
    detector = with_hidden()
    before = set(detector.state_dict())
    with pytest.raises(UsageError, match=rf"svd_ranks.: expected ranks from 1 to 16, found {wrong}"):
        compress_with_svd(detector, ranks)
    assert set(detector.state_dict()) == before
    assert detector.config.svd_ranks is None


def test_other_detectors_cannot_be_compressed() -> None:
    options = {"channels": 16, "rpn_channels": 16, "hidden": 16}
    faster = FasterRCNN(FasterRCNNConfig(("cat",), "test_resnet", **options))  # type: ignore[arg-type]
    twice = with_hidden()
    compress_with_svd(twice, (4, 4))
    for detector in (faster, twice):
        with pytest.raises(UsageError, match=r"--svd .* needs a Fast R-CNN that is not compressed yet"):
            compress_with_svd(detector, (4, 4))


# ---------------------------------------------------------------- presets


def test_the_papers_hyperparameters() -> None:
    config = FastRCNNConfig(("a",), **presets.FAST_RCNN["paper"])  # type: ignore[arg-type]
    assert (config.backbone, config.stride, config.pool_size, config.hidden) == ("vgg16", 16, 7, 4096)
    assert (config.shorter_side, config.longer_side) == (600, 1000)
    assert (config.roi_iou, config.roi_samples, config.roi_positive_fraction) == ((0.1, 0.5), 64, 0.25)
    assert (config.roi_beta, config.nms_iou) == (1.0, 0.3)
    assert config.svd_ranks is None  # as it is trained; 1024 and 256 for speed

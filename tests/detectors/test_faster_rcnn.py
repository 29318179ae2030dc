"""The parts of Faster R-CNN, worked by hand; tests/contract and tests/parity test the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import presets
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.pipeline.heads.rpn import (
    ProposalLimits,
    match_anchors,
    rpn_loss,
    select_proposals,
)
from boxmask.pipeline.images import Batch
from boxmask.types import Target

SMALL = FasterRCNNConfig(
    ("cat", "dog"),
    "test_resnet",
    shorter_side=64,
    longer_side=96,
    channels=16,
    rpn_channels=16,
    hidden=16,
    score_threshold=0.01,
)


Change = Callable[..., FasterRCNN]


@pytest.fixture(scope="module")
def network() -> FasterRCNN:
    torch.manual_seed(0)
    return FasterRCNN(SMALL).eval()


@pytest.fixture
def with_options(network: FasterRCNN, monkeypatch: pytest.MonkeyPatch) -> Change:
    """The same network with other options that do not change its layers."""

    def change(**options: object) -> FasterRCNN:
        monkeypatch.setattr(network, "config", replace(network.config, **options))  # type: ignore[arg-type]
        return network

    return change


# ---------------------------------------------------------------- section 3.1.2: which anchors are objects

ANCHORS = torch.tensor(
    [
        [10.0, 10, 30, 30],  # the first object itself
        [10, 10, 30, 26],  # IoU 0.8 with it
        [10, 10, 30, 20],  # 0.5
        [10, 10, 30, 14],  # 0.2
        [60, 60, 70, 70],  # 0.25 with the second object, its best
        [62, 62, 72, 72],  # 0.25, a tie
        [90, 20, 110, 40],  # crosses the border of the photo, and is the third object itself
        [40, 40, 50, 50],  # nothing
        [-5, 40, 5, 50],  # nothing, across the border
    ]
)
OBJECTS = Target.of([[10, 10, 30, 30], [60, 60, 80, 80], [90, 20, 110, 40]], [0, 1, 1])
SIZE = (100, 100)


def test_best_of_each_object_or_iou_of_seven_tenths(network: FasterRCNN) -> None:
    matched = match_anchors(ANCHORS, [OBJECTS], [SIZE], network.config)[0].tolist()
    assert matched == [0, 0, IGNORE, BACKGROUND, 1, 1, 2, BACKGROUND, BACKGROUND]


def test_anchors_across_the_border_may_be_ignored(with_options: Change) -> None:
    network = with_options(rpn_train_border_anchors=False)
    matched = match_anchors(ANCHORS, [OBJECTS], [SIZE], network.config)[0].tolist()
    assert matched == [0, 0, IGNORE, BACKGROUND, 1, 1, IGNORE, BACKGROUND, IGNORE]


def test_an_object_at_the_border_gets_its_best_anchor_inside_the_photo(with_options: Change) -> None:
    """Its best anchor, of IoU 14 / 26, is not trained on; the next has IoU 10 / 30, the last 2 / 38."""
    network = with_options(rpn_train_border_anchors=False)
    edge = Target.of([[80, 20, 100, 40]], [0])
    anchors = torch.tensor([[86.0, 20, 106, 40], [70, 20, 90, 40], [62, 20, 82, 40]])
    assert match_anchors(anchors, [edge], [SIZE], network.config)[0].tolist() == [IGNORE, 0, BACKGROUND]
    outside = match_anchors(anchors[:1], [edge], [SIZE], network.config)[0]
    assert outside.tolist() == [IGNORE]  # no anchor is inside the photo


def test_anchors_in_ignored_objects_are_ignored(network: FasterRCNN) -> None:
    crowd = Target.of(OBJECTS.boxes, OBJECTS.labels, [True, True, False])
    matched = match_anchors(ANCHORS, [crowd], [SIZE], network.config)[0].tolist()
    assert matched == [IGNORE] * 6 + [2, BACKGROUND, BACKGROUND]


def test_no_objects_make_all_anchors_background(network: FasterRCNN) -> None:
    matched = match_anchors(ANCHORS, [Target.of([], [])], [SIZE], network.config)[0]
    assert (matched == BACKGROUND).all()


def batch_of(size: tuple[int, int]) -> Batch:
    return Batch(torch.zeros(1, 3, *size), [size], [size])


def loss_of(network: FasterRCNN, logits: Tensor, deltas: Tensor, objects: Target) -> dict[str, Tensor]:
    """The RPN's loss, given the outputs of its head at the nine anchors."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            network.rpn_head, "at_anchors", lambda _, image, row: (logits[image, row], deltas[image, row])
        )
        return rpn_loss(network.rpn_head, [], ANCHORS, [objects], [SIZE], network.config)


def test_the_rpns_loss_by_hand(network: FasterRCNN) -> None:
    """Equation 1, with all anchors sampled: the regression of the positive ones alone."""
    torch.manual_seed(0)
    logits, deltas = torch.randn(1, 9), torch.randn(1, 9, 4)
    losses = loss_of(network, logits, deltas, OBJECTS)
    sampled, positive = [0, 1, 3, 4, 5, 6, 7, 8], [0, 1, 4, 5, 6]
    wanted = torch.tensor([1.0, 1, 0, 1, 1, 1, 0, 0])
    objectness = F.binary_cross_entropy_with_logits(logits[0, sampled], wanted)
    torch.testing.assert_close(losses["rpn_objectness"], objectness)
    answers = OBJECTS.boxes[[0, 0, 1, 1, 2]]
    size, center = ANCHORS[:, 2:] - ANCHORS[:, :2], (ANCHORS[:, 2:] + ANCHORS[:, :2]) / 2
    goal_size, goal = answers[:, 2:] - answers[:, :2], (answers[:, 2:] + answers[:, :2]) / 2
    shift, scale = (goal - center[positive]) / size[positive], (goal_size / size[positive]).log()
    error = (deltas[0, positive] - torch.cat([shift, scale], 1)).abs()
    smooth = torch.where(error < 1 / 9, 4.5 * error**2, error - 1 / 18)
    torch.testing.assert_close(losses["rpn_box"], smooth.sum() / 8)


def test_the_rpns_loss_is_zero_if_all_anchors_are_ignored(network: FasterRCNN) -> None:
    everywhere = Target.of([[-100, -100, 300, 300]], [0], [True])
    logits, deltas = torch.randn(1, 9, requires_grad=True), torch.randn(1, 9, 4, requires_grad=True)
    losses = loss_of(network, logits, deltas, everywhere)
    assert [loss.item() for loss in losses.values()] == [0, 0]
    sum(losses.values(), torch.tensor(0.0)).backward()
    assert logits.grad is not None
    assert not logits.grad.any()


# ---------------------------------------------------------------- proposals


def test_proposals_are_clipped_and_limited_after_nms(network: FasterRCNN) -> None:
    anchors = [ANCHORS, ANCHORS[[0, 7]]]
    logits = [torch.arange(9.0)[None], torch.tensor([[20.0, -20.0]])]
    deltas = [torch.zeros(1, 9, 4), torch.zeros(1, 2, 4)]
    (proposals,) = select_proposals(anchors, logits, deltas, [SIZE], ProposalLimits(9, 6, 0.7))
    assert proposals[0].tolist() == [10, 10, 30, 30]  # the highest objectness, of the second level
    assert proposals[1].tolist() == [0, 40, 5, 50]  # clipped
    assert proposals[2].tolist() == [40, 40, 50, 50]
    assert proposals[3].tolist() == [90, 20, 100, 40]
    assert len(proposals) == 6  # IoU 0.8 went, in its own level only
    few = select_proposals(anchors, logits, deltas, [SIZE], ProposalLimits(1, 6, 0.7))[0]
    assert few.tolist() == [[10, 10, 30, 30], [0, 40, 5, 50]]


def test_proposals_of_a_photo_do_not_depend_on_the_other_photos() -> None:
    torch.manual_seed(0)
    anchors = [ANCHORS, ANCHORS[[0, 7]]]
    logits = [torch.randn(3, 9), torch.randn(3, 2)]
    deltas = [torch.randn(3, 9, 4), torch.randn(3, 2, 4)]
    sizes, limits = [SIZE, (20, 30), (50, 50)], ProposalLimits(6, 5, 0.7)
    together = select_proposals(anchors, logits, deltas, sizes, limits)
    for photo, size in enumerate(sizes):
        one = slice(photo, photo + 1)
        alone = select_proposals(anchors, [x[one] for x in logits], [x[one] for x in deltas], [size], limits)
        torch.testing.assert_close(together[photo], alone[0], rtol=1e-6, atol=1e-5)


def test_no_gradient_through_the_coordinates_of_proposals(network: FasterRCNN) -> None:
    """Approximate joint training, section 3.2."""
    batch = network.prepare([torch.zeros(3, 64, 96)])
    features = network.features(batch.pixels)
    assert features[0].requires_grad
    assert not network.rpn_proposals(features, batch, (9, 9))[0].requires_grad


def test_anchors_of_a_photo(network: FasterRCNN) -> None:
    batch = network.prepare([torch.zeros(3, 64, 96)])
    features = network.features(batch.pixels)
    anchors = network.anchors(features, batch)
    grids = ((8, 16), (4, 8), (2, 4), (1, 2))  # 96 is padded to 128, so that the coarsest cells lie evenly
    assert [len(level) for level in anchors] == [2 * 3 * h * w for h, w in grids]
    assert anchors[1][2].tolist() == [-16, -16, 16, 16]  # 32 squared, at the first place of stride 16
    assert anchors[1][8].tolist() == [0, -16, 32, 16]


# ---------------------------------------------------------------- the second stage


def many(count: int, box: tuple[float, ...]) -> Tensor:
    return torch.tensor([box]).repeat(count, 1)


def test_a_quarter_of_the_sampled_proposals_are_objects(network: FasterRCNN) -> None:
    near, far = many(100, (10, 10, 30, 28)), many(300, (40, 40, 50, 50))
    kept, labels, deltas, *_ = network.sample_proposals([torch.cat([near, far])], [OBJECTS])
    assert len(kept[0]) == len(labels) == len(deltas) == 128
    assert int((labels < 2).sum()) == 32
    assert (labels[32:] == 2).all()  # the background comes after the classes
    assert (deltas[32:] == 0).all()
    assert (kept[0][32:] == far[0]).all()


def test_labels_and_deltas_of_sampled_proposals(network: FasterRCNN) -> None:
    proposals = torch.tensor([[60.0, 60, 80, 78], [60, 60, 80, 69], [0, 0, 5, 5]])  # IoU 0.9, 0.45, 0
    kept, labels, deltas, *_ = network.sample_proposals([proposals], [OBJECTS])
    expected = {  # box: label; the ground truth joins
        (60, 60, 80, 78): 1,
        (60, 60, 80, 69): 2,
        (0, 0, 5, 5): 2,
        (10, 10, 30, 30): 0,
        (60, 60, 80, 80): 1,
        (90, 20, 110, 40): 1,
    }
    boxes = [tuple(box) for box in kept[0].tolist()]
    assert dict(zip(boxes, labels.tolist(), strict=True)) == expected
    moved = deltas[boxes.index((60, 60, 80, 78))]
    wanted = torch.tensor([0, 10 * 1 / 18, 0, 5 * math.log(20 / 18)])  # times the weights 10, 10, 5, 5
    torch.testing.assert_close(moved, wanted)
    assert not deltas[boxes.index((60, 60, 80, 80))].any()


def test_each_photo_is_sampled_separately(network: FasterRCNN) -> None:
    proposals = [many(300, (10, 10, 30, 28)), many(300, (40, 40, 50, 50))]
    kept, labels, *_ = network.sample_proposals(proposals, [OBJECTS, Target.of([], [])])
    assert [len(boxes) for boxes in kept] == [32, 128]  # no background in the first: 32 objects and no more
    assert (labels[32:] == 2).all()


def test_ignored_objects_are_not_added_and_rois_in_them_are_ignored(network: FasterRCNN) -> None:
    crowd = Target.of([[0, 0, 50, 50], [60, 60, 80, 80]], [0, 1], [True, False])
    proposals = torch.tensor([[10.0, 10, 20, 20], [45, 45, 60, 60]])
    kept, labels, *_ = network.sample_proposals([proposals], [crowd])
    assert sorted(kept[0].tolist()) == [[45, 45, 60, 60], [60, 60, 80, 80]]
    assert sorted(labels.tolist()) == [1, 2]


# ---------------------------------------------------------------- postprocess

PROPOSALS = torch.tensor([[10.0, 10, 30, 30], [11, 10, 31, 30], [50, 50, 70, 70], [90, 90, 120, 120]])


def logits_of(scores: list[list[float]]) -> Tensor:
    """Logits whose softmax gives these scores of the two classes."""
    rows = torch.tensor(scores)
    return torch.cat([rows, 1 - rows.sum(dim=1, keepdim=True)], dim=1).log()


def test_postprocess_by_hand(network: FasterRCNN) -> None:
    """Per class: NMS, threshold; clipped; in pixels of the photo, which is half as large here."""
    logits = logits_of([[0.9, 0.05], [0.8, 0.1], [0.005, 0.7], [0.3, 0.002]])
    batch = Batch(torch.zeros(1, 3, 100, 100), [(100, 100)], [(50, 50)])
    (found,) = network.postprocess(logits, torch.zeros(4, 2, 4), [PROPOSALS], batch)
    assert found.names == ["cat", "dog", "cat", "dog"]
    torch.testing.assert_close(torch.from_numpy(found.scores), torch.tensor([0.9, 0.7, 0.3, 0.1]))
    expected = [[5, 5, 15, 15], [25, 25, 35, 35], [45, 45, 50, 50], [5.5, 5, 15.5, 15]]
    torch.testing.assert_close(torch.from_numpy(found.boxes), torch.tensor(expected))


def test_only_the_top_detections_are_kept(with_options: Change) -> None:
    network = with_options(detections_per_image=2)
    logits = logits_of([[0.9, 0.05], [0.8, 0.1], [0.005, 0.7], [0.3, 0.002]])
    (found,) = network.postprocess(logits, torch.zeros(4, 2, 4), [PROPOSALS], batch_of((100, 100)))
    torch.testing.assert_close(torch.from_numpy(found.scores), torch.tensor([0.9, 0.7]))


def test_a_photo_without_proposals(network: FasterRCNN) -> None:
    none = torch.zeros(0, 4)
    batch = Batch(torch.zeros(2, 3, 100, 100), [(100, 100)] * 2, [(100, 100)] * 2)
    logits = logits_of([[0.9, 0.05], [0.8, 0.1], [0.005, 0.7], [0.3, 0.002]])
    empty, found = network.postprocess(logits, torch.zeros(4, 2, 4), [none, PROPOSALS], batch)
    assert (len(empty), len(found)) == (0, 4)


# ---------------------------------------------------------------- presets

QUICK = {  # the presets' own structure, with smaller layers
    "default": {"backbone": "test_resnet", "shorter_side": 64, "longer_side": 96},
    "fpn": {"backbone": "test_resnet", "shorter_side": 96, "longer_side": 128, "hidden": 32},
    "paper": {"shorter_side": 160, "longer_side": 224, "hidden": 64},
}


def quick(preset: str) -> FasterRCNN:
    torch.manual_seed(0)
    options = {**presets.FASTER_RCNN[preset], **QUICK[preset], "score_threshold": 0.0}
    return FasterRCNN(FasterRCNNConfig(("cat", "dog"), **options))  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("preset", presets.FASTER_RCNN)
def test_every_preset_predicts_and_has_a_loss(preset: str) -> None:
    """The paper's is a single map with RoI max pooling."""
    network = quick(preset)
    network.freeze(1)
    generator = torch.Generator().manual_seed(0)
    photo, target = torch.rand(3, 80, 112, generator=generator), Target.of([[8, 8, 70, 60]], [1])
    assert len(network.predict(photo)) > 0
    trained = [p for p in network.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in trained]
    losses = network.loss([photo], [target])
    assert set(losses) == {"rpn_objectness", "rpn_box", "roi_class", "roi_box"}
    torch.stack(list(losses.values())).sum().backward()
    torch.optim.SGD(trained, lr=0.01).step()
    assert all(p.isfinite().all() for p in trained)
    assert any(not torch.equal(p, old) for p, old in zip(trained, before, strict=True))


def test_the_papers_hyperparameters() -> None:
    config = FasterRCNNConfig(("a",), **presets.FASTER_RCNN["paper"])  # type: ignore[arg-type]
    assert (config.backbone, config.strides, config.channels) == ("vgg16", (16,), 0)
    assert len(config.anchor_sizes[0]) * len(config.aspect_ratios) == 9
    assert (config.rpn_iou, config.rpn_samples, config.rpn_positive_fraction) == ((0.3, 0.7), 256, 0.5)
    assert (config.train_proposals[1], config.test_proposals[1]) == (2000, 300)
    assert config.roi_max_pool
    assert not config.rpn_train_border_anchors

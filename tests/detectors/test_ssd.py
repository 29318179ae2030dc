"""The parts of SSD, worked by hand: default boxes, matching, hard negatives, loss and detections."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.detectors import presets
from boxmask.detectors.ssd import SSD, SSDConfig, resize_to_square
from boxmask.errors import UsageError
from boxmask.geometry.boxes import default_box_shapes, iou, tile_default_boxes
from boxmask.geometry.matching import BACKGROUND, IGNORE
from boxmask.pipeline.heads.multibox import hard_negatives, match_default_boxes, multibox_loss
from boxmask.types import Target

NAMES = ("a", "b")


def config_of(preset: str = "default", **options: Any) -> SSDConfig:
    return SSDConfig(**{"class_names": NAMES, **presets.SSD[preset], **options})


@pytest.fixture(scope="module")
def detector() -> SSD:
    torch.manual_seed(0)
    return SSD(config_of(shorter_side=96)).eval()


# ---------------------------------------------------------------- default boxes


def test_the_boxes_of_a_cell_by_hand() -> None:
    """Section 2.2: s = 0.2, the extra square of √(0.2 · 0.45) = 0.3, and 2 : 1 both ways."""
    shapes = default_box_shapes(0.2, 0.45, (2,))
    sizes = shapes[:, 2:] - shapes[:, :2]
    wide, narrow = 0.2 * math.sqrt(2), 0.2 / math.sqrt(2)
    expected = [[0.2, 0.2], [0.3, 0.3], [wide, narrow], [narrow, wide]]
    torch.testing.assert_close(sizes, torch.tensor(expected))
    assert torch.equal(shapes[:, :2], -shapes[:, 2:])


def test_no_default_box_is_larger_than_the_photo() -> None:
    shapes = default_box_shapes(0.9, 1.3, (2,))
    assert (shapes[:, 2:] - shapes[:, :2]).amax() == 1


def test_default_boxes_are_ordered_row_by_row() -> None:
    boxes = tile_default_boxes(torch.tensor([[-0.1, -0.2, 0.1, 0.2]]), (2, 4), (2, 4))
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    expected = [[x, y] for y in (0.25, 0.75) for x in (0.125, 0.375, 0.625, 0.875)]
    torch.testing.assert_close(centers, torch.tensor(expected))


@pytest.mark.parametrize(
    ("preset", "cells", "count"),
    [
        ("300", [38, 19, 10, 5, 3, 1], 8732),  # the number that the paper gives in table 7
        ("512", [64, 32, 16, 8, 4, 2, 1], 24564),
    ],
)
def test_the_number_of_default_boxes_is_the_papers(preset: str, cells: list[int], count: int) -> None:
    detector = SSD(config_of(preset))
    side = detector.config.shorter_side
    with torch.no_grad():
        features = detector.features(torch.zeros(1, 3, side, side))
    assert [x.shape[-1] for x in features] == cells
    assert len(detector.default_boxes(features)) == count


def test_the_papers_preset_has_the_papers_maps() -> None:
    detector = SSD(config_of("paper"))
    with torch.no_grad():
        features = detector.features(torch.zeros(1, 3, 300, 300))
    assert [tuple(x.shape[1:]) for x in features] == [
        (512, 38, 38),
        (1024, 19, 19),
        (512, 10, 10),
        (256, 5, 5),
        (256, 3, 3),
        (256, 1, 1),
    ]
    boxes = detector.default_boxes(features)
    assert len(boxes) == 8732
    torch.testing.assert_close(boxes[0], torch.tensor([-11.0, -11.0, 19.0, 19.0]))  # 30 pixels about (4, 4)


def test_every_map_needs_default_boxes() -> None:
    with pytest.raises(UsageError, match="expected 7 scales and 6 aspect_ratios for 6 maps, found 3 and 6"):
        SSD(config_of(scales=(0.1, 0.2, 0.3)))


def test_other_backbones_for_the_papers_preset_are_refused() -> None:
    with pytest.raises(UsageError, match="feature_source 'atrous' does not fit backbone resnet18"):
        SSD(config_of("paper", backbone="resnet18"))


# ---------------------------------------------------------------- matching


DEFAULT = torch.tensor(
    [[0, 0, 10, 10], [0, 0, 10, 6], [20, 20, 30, 30], [21, 20, 31, 30], [60, 60, 70, 70.0]]
)


def test_matching_by_hand() -> None:
    """The first object has two default boxes over 0.5; the second only its best one, of IoU 0.25."""
    target = Target.of([[0, 0, 10, 10], [60, 60, 65, 65]], [0, 1])
    assert match_default_boxes(DEFAULT, target, 0.5).tolist() == [0, 0, BACKGROUND, BACKGROUND, 1]


def test_each_object_keeps_its_best_default_box() -> None:
    """It keeps it even if another object, with a better box of its own, overlaps it more."""
    target = Target.of([[20, 20, 30, 30], [21.5, 20, 40, 30]], [0, 1])
    overlaps = iou(target.boxes, DEFAULT)
    assert overlaps[1].argmax() == 3
    assert overlaps[0, 3] > overlaps[1, 3]
    assert match_default_boxes(DEFAULT, target, 0.5).tolist() == [BACKGROUND, BACKGROUND, 0, 1, BACKGROUND]


def test_without_objects_all_is_background() -> None:
    assert match_default_boxes(DEFAULT, Target.of([], []), 0.5).tolist() == [BACKGROUND] * 5


def test_ignored_objects_are_neither_object_nor_background() -> None:
    target = Target.of([[0, 0, 12, 12], [60, 60, 70, 70]], [0, 1], [True, False])
    assert match_default_boxes(DEFAULT, target, 0.5).tolist() == [IGNORE, IGNORE, BACKGROUND, BACKGROUND, 1]


def test_matching_in_chunks_equals_matching_at_once() -> None:
    """With 50 objects and 5000 default boxes."""
    torch.manual_seed(0)
    corner = torch.rand(5000, 2) * 200
    default = torch.cat([corner, corner + 5 + torch.rand(5000, 2) * 60], dim=1)
    target = Target.of(default[::100] + torch.rand(50, 4), range(50))
    overlaps = iou(target.boxes, default)
    best, expected = overlaps.max(dim=0)
    expected[best < 0.5] = BACKGROUND
    for row, default_box in enumerate(overlaps.argmax(dim=1)):
        expected[default_box] = row
    assert torch.equal(match_default_boxes(default, target, 0.5), expected)


# ---------------------------------------------------------------- loss


def test_hard_negatives_have_the_highest_background_loss() -> None:
    logits = torch.tensor([[0.0, 0, 9], [5, 0, 0], [0, 2, 0], [0, 0, 1], [9, 0, 0]])
    matched = torch.tensor([BACKGROUND, BACKGROUND, BACKGROUND, 0, IGNORE])
    logits = torch.stack([logits, logits.flip(0), logits])
    matched = torch.stack([matched, matched.flip(0), torch.full_like(matched, BACKGROUND)])
    image, row = hard_negatives(logits, matched, 2, 2)
    assert (image.tolist(), row.tolist()) == ([0, 0, 1, 1], [1, 2, 3, 2])
    assert not hard_negatives(logits[2:], matched[2:], 3, 0)[1].tolist()  # without objects
    assert hard_negatives(logits[:1], matched[:1], 99, 1)[1].tolist() == [1, 2, 0]


def test_the_loss_by_hand(detector: SSD) -> None:
    """One matched box and three negatives; the sum of their losses is divided by one."""
    target = Target.of([[60, 60, 70, 70]], [1])
    logits = torch.zeros(1, 5, 3)
    logits[0, 1] = torch.tensor([3.0, 0, 0])
    deltas = torch.zeros(1, 5, 4)
    deltas[0, 4] = torch.tensor([0.5, -2.0, 0, 0])
    losses = multibox_loss(logits, deltas, DEFAULT, [target], detector.config)
    hardest = float(F.cross_entropy(logits[0, 1:2], torch.tensor([2])))
    assert losses["ssd_class"].item() == pytest.approx(hardest + 3 * math.log(3), rel=1e-5)
    assert losses["ssd_box"].item() == pytest.approx(0.5 * 0.25 + 1.5, rel=1e-5)  # smooth L1


def test_deltas_are_divided_by_the_variances(detector: SSD) -> None:
    """An object 1.5 times as large has a delta of ln(1.5) / 0.2; one shifted by a tenth, 0.1 / 0.1."""
    target = Target.of([[61, 60, 71, 70]], [1])
    deltas = torch.zeros(1, 5, 4)
    deltas[0, 4, 0] = 1.0
    assert multibox_loss(torch.zeros(1, 5, 3), deltas, DEFAULT, [target], detector.config)["ssd_box"] < 1e-10
    target, deltas = Target.of([[57.5, 60, 72.5, 70]], [1]), torch.zeros(1, 5, 4)
    deltas[0, 4, 2] = math.log(1.5) / 0.2
    assert multibox_loss(torch.zeros(1, 5, 3), deltas, DEFAULT, [target], detector.config)["ssd_box"] < 1e-10


def test_without_objects_the_loss_is_zero_and_has_a_gradient(detector: SSD) -> None:
    losses = detector.loss([torch.zeros(3, 50, 70)], [Target.of([], [])])
    assert {name: loss.item() for name, loss in losses.items()} == {"ssd_class": 0.0, "ssd_box": 0.0}
    assert all(loss.requires_grad for loss in losses.values())


def test_the_loss_is_divided_by_the_matches_of_the_batch(detector: SSD) -> None:
    one, none = Target.of([[60, 60, 70, 70]], [1]), Target.of([], [])
    logits, deltas = torch.randn(1, 5, 3), torch.randn(1, 5, 4)
    alone = multibox_loss(logits, deltas, DEFAULT, [one], detector.config)
    for targets in ([one, none], [one, one]):
        both = multibox_loss(
            logits.repeat(2, 1, 1), deltas.repeat(2, 1, 1), DEFAULT, targets, detector.config
        )
        assert both["ssd_class"].item() == pytest.approx(alone["ssd_class"].item())


# ---------------------------------------------------------------- image and postprocess


def test_photos_are_resized_to_the_square(detector: SSD) -> None:
    batch = detector.prepare([torch.zeros(3, 40, 90), torch.zeros(3, 200, 100)])
    assert batch.pixels.shape == (2, 3, 96, 96)
    assert batch.sizes == [(96, 96)] * 2
    assert batch.original_sizes == [(40, 90), (200, 100)]
    [moved] = batch.rescale_boxes([torch.tensor([[9.0, 4, 45, 20]]), torch.zeros(0, 4)])[:1]
    torch.testing.assert_close(moved, torch.tensor([[9.6, 9.6, 48.0, 48.0]]))
    square = torch.randint(0, 256, (3, 96, 96), dtype=torch.uint8)
    assert resize_to_square(square, 96, antialias=True) is square


def found(detector: SSD, logits: Tensor, **options: Any) -> list[tuple[int, float]]:
    before, batch = detector.config, detector.prepare([torch.zeros(3, 96, 96)])
    detector.config = config_of(shorter_side=96, **options)
    try:
        [one] = detector.postprocess(logits, torch.zeros(1, len(DEFAULT), 4), DEFAULT, batch)
    finally:
        detector.config = before
    return list(zip(one.labels.tolist(), [round(s, 3) for s in one.scores.tolist()], strict=True))


def test_postprocess_by_hand(detector: SSD) -> None:
    """A softmax with the background; NMS per class; a box may have two classes."""
    logits = torch.tensor([[[2.0, 0, 0], [1, 0, 0], [0, 0, 9], [0, 0, 9], [1, 1, 0]]])
    scores = logits.softmax(dim=2)[0]
    first, both = round(float(scores[0, 0]), 3), round(float(scores[4, 0]), 3)
    everything = found(detector, logits, score_threshold=0.3)
    assert everything == [(0, first), (0, both), (1, both)]  # the second default box overlaps the first
    assert found(detector, logits, score_threshold=0.3, pre_nms_top_k=1) == [(0, first), (1, both)]
    assert found(detector, logits, score_threshold=0.3, detections_per_image=1) == [(0, first)]
    assert found(detector, logits, score_threshold=0.99) == []


def test_proposals_are_ignored(detector: SSD) -> None:
    photo = torch.randint(0, 256, (3, 50, 70), dtype=torch.uint8)
    target, boxes = Target.of([[5, 5, 40, 40]], [0]), [torch.tensor([[0.0, 0, 9, 9]])]
    with_boxes, without = detector.predict(photo, proposals=boxes), detector.predict(photo)
    assert np.array_equal(with_boxes.boxes, without.boxes)
    assert detector.loss([photo], [target], boxes) == detector.loss([photo], [target])

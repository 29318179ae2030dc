"""Evaluation of detectors that find masks."""

import io
import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from boxmask.evaluation.detection.bootstrap import ap_intervals
from boxmask.evaluation.detection.boundary_ap import _photo_matches
from boxmask.evaluation.detection.class_matches import class_matches, resampled_ap
from boxmask.evaluation.detection.classes import with_class_names
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.evaluation.detection.coco_masks import object_masks, object_rles, to_coco_rle
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.detection.table import detection_table
from boxmask.masks import Masks
from boxmask.types import Detections

A, B = (10, 10, 30, 30), (50, 50, 90, 90)
SMALLER = (54, 54, 86, 86)  # a disc of 0.64 of that in B


@pytest.fixture
def evaluated(labeled, detected, with_object_masks, with_masks):
    """Three photos. The mask of the dog is too small."""
    dataset = with_object_masks(labeled([("cat", A)], [("dog", B), ("cat", A)], []))
    found = [detected(("cat", 0.9, A)), detected(("dog", 0.8, B)), detected(("cat", 0.3, B))]
    found = [with_masks(one) for one in found]
    loose = with_masks(detected(("dog", 0.8, SMALLER))).masks
    return dataset, [found[0], replace(found[1], masks=loose), found[2]]


def test_dict_holds_the_metrics_of_masks_and_boxes(evaluated):
    metrics = evaluate_detections(*evaluated).to_dict()
    assert json.loads(json.dumps(metrics)) == metrics
    assert metrics["per_class"]["dog"]["AP"] == pytest.approx(1.0)
    assert metrics["per_class"]["dog"]["mask_AP50"] == pytest.approx(1.0)
    assert metrics["per_class"]["dog"]["mask_AP"] == pytest.approx(0.3)  # IoU 0.64: 0.50, 0.55, 0.60
    assert metrics["mask_AP"] < metrics["AP"] == pytest.approx((51 / 101 + 1) / 2)
    assert metrics["mask_AP50"] == pytest.approx(metrics["AP50"])
    assert metrics["mask_AP75"] == pytest.approx(51 / 101 / 2)
    assert metrics["mask_APl"] is None
    assert metrics["boundary_AP50"] == pytest.approx(51 / 101 / 2)  # the contour of the dog is missed
    assert metrics["boundary_AP"] == pytest.approx(51 / 101 / 2)
    low, high = metrics["mask_AP50_interval"]
    assert low <= metrics["mask_AP50"] <= high
    assert metrics["mask_objects"] == 3


def test_boxes_alone_have_no_metrics_of_masks(evaluated, labeled):
    dataset, found = evaluated
    boxes = [replace(one, masks=None) for one in found]
    assert not any(
        "mask" in name or "boundary" in name for name in evaluate_detections(dataset, boxes).to_dict()
    )
    plain = evaluate_detections(labeled([("cat", A)], [("dog", B), ("cat", A)], []), found)
    assert plain.masks is None
    assert plain.notes == ("Masks were not evaluated: the labels have boxes only.",)
    with pytest.raises(ValueError, match="found boxes only"):
        coco_metrics(dataset, boxes, "segm")


def test_object_without_mask_counts_neither_for_nor_against(labeled, detected, with_object_masks, with_masks):
    dataset = with_object_masks(labeled([("cat", A), ("cat", B)]), without=[1])
    for found in (detected(("cat", 0.5, A)), detected(("cat", 0.9, B), ("cat", 0.5, A))):
        evaluation = evaluate_detections(dataset, [with_masks(found)])
        assert evaluation.masks.coco.AP == pytest.approx(1.0)
        assert evaluation.masks.boundary.AP == pytest.approx(1.0)
        assert evaluation.masks.coco.per_class["cat"].objects == 1
        assert evaluation.notes == ("1 of 2 objects have no mask and are left out of the metrics of masks.",)
    assert object_masks(dataset, 0).areas()[1] == 1600
    assert object_rles(dataset, 0) == to_coco_rle(object_masks(dataset, 0))


def test_empty_mask_is_wrong(labeled, detected, with_object_masks, with_masks):
    dataset = with_object_masks(labeled([("cat", A)]))
    found = with_masks(detected(("cat", 0.9, B), ("cat", 0.5, A)))
    empty = replace(
        found, masks=Masks.concatenate([Masks.unknown(1, (100, 100)), found.masks[1:]], (100, 100))
    )
    assert coco_metrics(dataset, [empty], "segm").AP == pytest.approx(0.5)
    assert evaluate_detections(dataset, [empty]).masks.boundary.AP == pytest.approx(0.5)


def test_masks_follow_reordered_and_skipped_classes(evaluated):
    dataset, found = evaluated
    swapped = [
        Detections(one.boxes, one.scores, 1 - one.labels, ("dog", "cat"), one.size, one.masks)
        for one in found
    ]
    assert evaluate_detections(dataset, swapped) == evaluate_detections(dataset, found)
    assert np.array_equal(with_class_names(swapped[1], ("dog",)).masks.dense(), found[1].masks.dense())
    assert len(with_class_names(swapped[1], ("cat",)).masks) == 0
    cats = [with_class_names(one, ("cat",)) for one in found]
    evaluation = evaluate_detections(dataset, cats, on_unseen_classes="skip")
    assert evaluation.masks.objects == 2
    assert evaluation.masks.coco.AP50 == pytest.approx(51 / 101)


def test_intervals_of_masks_come_from_masks(evaluated):
    dataset, found = evaluated
    ap = resampled_ap(class_matches(dataset, found, "segm"), np.ones((1, 3), dtype=np.int64))[0]
    assert ap.mean() == pytest.approx(coco_metrics(dataset, found, "segm").AP, abs=1e-9)
    assert ap_intervals(dataset, found, "segm") != ap_intervals(dataset, found)


def test_photo_without_objects_and_photo_of_one_pixel(labeled, with_object_masks):
    empty = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long(), ("cat", "dog"), (100, 100))
    empty = replace(empty, masks=Masks.unknown(0, (100, 100)))
    assert evaluate_detections(with_object_masks(labeled([])), [empty]).masks is None
    dot = replace(with_object_masks(labeled([("cat", (0, 0, 1, 1))])), sizes=np.ones((1, 2), np.int32))
    dot = replace(dot, runs=np.array([0, 1], np.int32), run_offsets=np.array([0, 2]))
    mask = Masks.from_dense(np.ones((1, 1, 1), bool))
    one = Detections(torch.ones(1, 4) * torch.tensor([0, 0, 1, 1]), torch.ones(1), torch.zeros(1).long(),
                     ("cat", "dog"), (1, 1), mask)  # fmt: skip
    evaluation = evaluate_detections(dot, [one])
    assert [evaluation.masks.coco.AP, evaluation.masks.boundary.AP] == pytest.approx([1.0, 1.0])


def test_table_shows_the_metrics_of_masks(evaluated):
    console = Console(file=io.StringIO(), width=80)
    console.print(detection_table(evaluate_detections(*evaluated)))
    text = console.file.getvalue()
    assert "mask AP50 ┃" in text  # in one line, also in a narrow terminal
    assert "boundary AP " in text
    dog = next(line.split("│") for line in text.splitlines() if line.startswith("│ dog"))
    metrics = [cell.strip() for cell in dog[2:8]]
    assert metrics == ["1", "1.000", "1.000", "1.000", "0.300", "1.000"]


def test_judging_a_photo_touches_its_own_objects_only(evaluated):
    """With whole arrays for each photo, the cost would grow with the square of the number of photos."""
    dataset, found = evaluated

    def peak(photos: int) -> int:
        many = dataset.subset(np.resize(np.arange(len(dataset)), photos))
        _photo_matches(many, 1, found[1])  # what is computed once
        tracemalloc.start()
        object_rles(many, 1)
        _photo_matches(many, 1, found[1])
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(30_000) < 1.2 * peak(30)


def test_what_photos_share_cannot_be_changed(evaluated):
    for shared in (evaluated[0].counted, evaluated[0].has_mask):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = False

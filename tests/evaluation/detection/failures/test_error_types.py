"""The AP lost to each kind of error equals that of TIDE's reference package on the same detections."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.evaluation.detection.failures import error_types
from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.detection.failures.error_types import find_errors, lost_ap
from boxmask.evaluation.detection.failures.matches import match_detections

SCENE = json.loads((Path(__file__).parent / "tide.json").read_text())
CLASSES = ("cat", "dog", "cow")
TIDE_NAMES = {
    "class": "Cls",
    "location": "Loc",
    "both": "Both",
    "duplicate": "Dupe",
    "background": "Bkg",
    "missed": "Miss",
}
A, NEAR_A, HALF_A = (10, 10, 30, 30), (12, 10, 30, 30), (10, 10, 30, 18)  # IoU 0.9 and 0.4
B, NOWHERE = (50, 50, 90, 90), (70, 5, 95, 20)


@pytest.fixture
def scene(labeled: Callable, detected: Callable, with_object_masks: Callable, with_masks: Callable) -> Any:
    """The photos that tidecv was run on, with a disc in each box as mask."""
    photos = SCENE["photos"]
    dataset = labeled(*[photo["objects"] for photo in photos], class_names=CLASSES)
    found = [detected(*photo["detections"], class_names=CLASSES) for photo in photos]
    return with_object_masks(dataset), [with_masks(in_photo) for in_photo in found]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_losses_and_counts_equal_tidecv(scene: Any, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_types, "RECALLS", np.arange(101) / 100)  # rounded otherwise than COCO's
    errors, expected = analyze_failures(*scene, kind).errors, SCENE[kind]
    assert errors is not None
    assert errors.AP50 == pytest.approx(expected["AP"] / 100, abs=1e-9)
    for error in errors.types:
        name = TIDE_NAMES[error.name]
        assert error.lost_AP == pytest.approx(expected["lost"][name] / 100, abs=1e-9), name
        assert error.count == len(error.cases) == expected["counts"][name], name
    assert errors.lost_false_positives == pytest.approx(expected["lost"]["FalsePos"] / 100, abs=1e-9)
    assert errors.lost_missed == pytest.approx(expected["lost"]["FalseNeg"] / 100, abs=1e-9)


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_ap_is_that_of_the_evaluation(scene: Any, kind: Any) -> None:
    errors = analyze_failures(*scene, kind).errors
    assert errors is not None
    assert errors.AP50 == pytest.approx(coco_metrics(*scene, kind).AP50, abs=1e-12)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (("cat", 0.5, NEAR_A), "correct"),
        (("cat", 0.5, HALF_A), "location"),
        (("dog", 0.5, NEAR_A), "class"),
        (("dog", 0.5, HALF_A), "both"),
        (("cat", 0.5, NOWHERE), "background"),
        (("dog", 0.5, NOWHERE), "background"),
    ],
)
def test_the_kind_of_one_detection(
    labeled: Callable, detected: Callable, found: tuple[Any, ...], kind: str
) -> None:
    matches = match_detections(labeled([("cat", A), ("dog", B)]), [detected(found)])
    assert error_types.NAMES[find_errors(matches).types[0]] == kind


def test_a_second_detection_is_a_duplicate(labeled: Callable, detected: Callable) -> None:
    matches = match_detections(labeled([("cat", A)]), [detected(("cat", 0.9, A), ("cat", 0.8, NEAR_A))])
    assert [error_types.NAMES[kind] for kind in find_errors(matches).types] == ["correct", "duplicate"]


def test_only_objects_that_no_correction_finds_are_missed(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cat", A), ("dog", B), ("cat", NOWHERE)])
    matches = match_detections(dataset, [detected(("cat", 0.9, HALF_A), ("cat", 0.8, B))])
    assert find_errors(matches).missed.tolist() == [False, False, True]


def test_the_first_of_several_corrections_finds_the_object(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cat", A)])
    matches = match_detections(dataset, [detected(("cat", 0.9, HALF_A), ("cat", 0.8, HALF_A))])
    lost = lost_ap(matches, find_errors(matches), dataset.labels)
    assert lost is not None
    assert (lost.AP50, lost.by_type[1], lost.missed) == (0.0, pytest.approx(1.0), 0.0)


def test_detections_of_objects_that_do_not_count_are_no_errors(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cat", A, "difficult"), ("cat", B, "crowd")])
    found = detected(("cat", 0.9, NEAR_A), ("cat", 0.8, (55, 55, 70, 70)), ("cat", 0.7, (60, 60, 80, 80)))
    matches = match_detections(dataset, [found])
    assert find_errors(matches).types.tolist() == [error_types.CORRECT] * 3
    assert lost_ap(matches, find_errors(matches), dataset.labels) is None

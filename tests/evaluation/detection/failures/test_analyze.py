"""What the analysis of detections holds."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch

from boxmask.errors import LabelError
from boxmask.evaluation.detection.coco import coco_metrics
from boxmask.evaluation.detection.failures.analysis import DetectionFailures, SizeRecall
from boxmask.evaluation.detection.failures.analyze import analyze_failures
from boxmask.evaluation.failures.contract import FailureAnalysis

A, NEAR_A, B = (10, 10, 30, 30), (12, 10, 30, 30), (50, 50, 90, 90)
C, NOWHERE = (5, 60, 25, 80), (70, 5, 95, 20)


@pytest.fixture
def failures(labeled: Callable, detected: Callable) -> DetectionFailures:
    """Three cats and a dog that are found, a dog taken for a cat, and a cat in the background."""
    dataset = labeled([("cat", A), ("dog", B)], [("cat", B), ("cat", C), ("dog", A)])
    found = [
        detected(("cat", 0.95, NEAR_A), ("cat", 0.85, B), ("cat", 0.8, NOWHERE)),
        detected(("dog", 0.95, A), ("cat", 0.75, B), ("cat", 0.72, C)),
    ]
    return analyze_failures(dataset, found)


def test_the_confusion_matrix_counts_at_the_best_scores(failures: DetectionFailures) -> None:
    assert failures.min_scores == {"cat": pytest.approx(0.36), "dog": pytest.approx(0.475)}
    confusion = failures.confusion
    assert confusion.row_names == confusion.column_names == ("cat", "dog", "background")
    assert confusion.counts.tolist() == [[3, 0, 0], [1, 1, 0], [1, 0, 0]]


def test_cells_know_their_photos_and_objects(failures: DetectionFailures) -> None:
    (case,) = failures.confusion.cell("dog", "cat")
    assert (case.photo, case.detection, case.row) == (0, 1, 1)
    assert (case.labeled, case.predicted, case.iou) == ("dog", "cat", 1.0)
    assert case.found_box == case.labeled_box == B
    (stray,) = failures.confusion.cell("background", "cat")
    assert (stray.labeled, stray.row, stray.found_box) == (None, None, NOWHERE)
    assert failures.confusion.cell("cat", "dog") == ()


def test_missed_objects_are_in_the_background_column(labeled: Callable, detected: Callable) -> None:
    confusion = analyze_failures(labeled([("cat", A), ("dog", B)]), [detected(("cat", 0.9, A))]).confusion
    (case,) = confusion.cell("dog", "background")
    assert (case.row, case.predicted, case.score, case.detection) == (1, None, None, None)


def test_a_right_detection_is_not_displaced_by_a_wrong_class(labeled: Callable, detected: Callable) -> None:
    found = [detected(("dog", 0.9, A), ("cat", 0.8, A))]
    confusion = analyze_failures(labeled([("cat", A), ("dog", B)]), found).confusion
    assert confusion.counts[0].tolist() == [1, 0, 0]
    assert confusion.counts[2].tolist() == [0, 1, 0]


def test_classes_that_only_one_side_knows_are_left_out(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cow", NOWHERE), ("dog", B), ("cat", A)], class_names=("cow", "dog", "cat"))
    names = ("hen", "cat", "dog")
    found = [detected(("hen", 0.9, NOWHERE), ("dog", 0.8, A), ("dog", 0.7, B), class_names=names)]
    failures = analyze_failures(dataset, found)
    assert failures.confusion.class_names == ("dog", "cat")
    (case,) = failures.confusion.cell("cat", "dog")
    assert (case.row, case.detection) == (2, 1)  # in the data set and the detections that were given


def test_recall_by_size(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cat", A), ("cat", B), ("cat", (0, 0, 100, 100))])
    failures = analyze_failures(dataset, [detected(("cat", 0.9, A), ("cat", 0.8, (51, 50, 90, 90)))])
    assert failures.sizes == (
        SizeRecall(16, 32, 1, 1, 1),
        SizeRecall(32, 64, 1, 1, 1),
        SizeRecall(96, 192, 1, 0, 0),
    )


def test_curves_have_coco_ap_as_their_mean(failures: DetectionFailures) -> None:
    curves = failures.curves
    assert curves.precision.shape == curves.scores.shape == (10, 101, 2)
    ap = curves.precision.mean(axis=1)
    assert failures.errors is not None
    assert ap[0].mean() == pytest.approx(failures.errors.AP50)


def test_curves_of_a_class_without_objects_are_unknown(labeled: Callable, detected: Callable) -> None:
    dataset, found = labeled([("cat", A)]), [detected(("cat", 0.9, A), ("dog", 0.8, B))]
    curves = analyze_failures(dataset, found).curves
    assert np.isnan(curves.precision[..., 1]).all()
    assert list(curves.to_dict()["precision"]) == ["cat"]
    assert curves.precision[..., 0].mean() == coco_metrics(dataset, found).AP


def test_precision_and_recall_at_a_chosen_score(failures: DetectionFailures) -> None:
    cat = failures.scores["cat"]
    at = cat.at(0.85)
    assert (at.detections, at.precision, at.recall) == (2, 0.5, 1 / 3)
    assert cat.at(0.97).precision is None
    assert (cat.at(0.0).precision, cat.at(0.0).recall) == (3 / 5, 1.0)
    assert cat.to_dict()["recall"][80:87:3] == [0.3333, 0.3333, 0.3333]


def test_calibration_compares_scores_with_shares(failures: DetectionFailures) -> None:
    assert failures.calibration is not None
    bins = [(round(each.low, 1), each.count, each.share_correct) for each in failures.calibration.bins]
    assert bins == [(0.7, 2, 1.0), (0.8, 2, 0.0), (0.9, 2, 1.0)]
    assert failures.calibration.ECE == pytest.approx((0.25 + 0.28 + 0.85 + 0.8 + 0.05 + 0.05) / 6, abs=1e-6)
    assert failures.calibration.MCE == pytest.approx(0.825, abs=1e-6)


def test_recall_of_proposals(labeled: Callable, detected: Callable) -> None:
    dataset = labeled([("cat", (0, 0, 10, 10)), ("cat", B)])
    boxes = torch.tensor([[0, 0, 10, 7.0], [0, 0, 10, 5.0]])
    curve = analyze_failures(dataset, [detected()], proposals=[boxes]).proposals
    assert curve is not None
    assert curve.recall == (0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0)  # IoU 0.7 of one object
    assert curve.mean_proposals == 2


def test_the_dict_is_plain_and_names_files_and_classes(failures: DetectionFailures) -> None:
    analysis: FailureAnalysis = failures
    document = json.loads(json.dumps(analysis.to_dict()))
    (cell,) = [cell for cell in document["confusion"]["cells"] if cell["labeled"] == "dog"]
    assert cell["cases"][0]["file"] == "0.jpg"
    assert cell["cases"][0]["found_box"] == list(B)
    assert document["errors"]["types"]["class"]["count"] == 1
    assert len(document["photos"]) == 2


def test_photos_without_objects_or_detections(labeled: Callable, detected: Callable) -> None:
    failures = analyze_failures(labeled([], [("cat", A)]), [detected(), detected()])
    assert failures.calibration is None
    assert failures.errors is not None
    assert failures.errors.AP50 == 0
    empty = analyze_failures(labeled([]), [detected(("cat", 0.9, A))])
    assert empty.errors is None
    assert empty.confusion.counts.sum() == 1
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        analyze_failures(labeled(), [])

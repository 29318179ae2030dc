import io
import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from torch import Tensor

from boxmask.errors import LabelError, PhotoError
from boxmask.evaluation.detection.detect import detect_all
from boxmask.evaluation.detection.evaluate import evaluate_detections, evaluate_detector
from boxmask.evaluation.detection.table import detection_table
from boxmask.types import Detections

A, B = (10, 10, 30, 30), (50, 50, 90, 90)


@dataclass
class StubDetector:
    """A detector that returns prepared detections and records its photos."""

    detections: list[Detections]
    class_names: tuple[str, ...] = ("cat", "dog")

    def __post_init__(self):
        self.shown: list[Tensor] = []
        self.config = SimpleNamespace(class_names=self.class_names)

    def predict(self, photo, proposals=None):
        self.shown.append(photo)
        return self.detections[len(self.shown) - 1]


@pytest.fixture
def photos(labeled, tmp_path):
    """Three photos on disk, each of one gray."""
    for i in range(3):
        Image.fromarray(np.full((100, 100, 3), 50 * i, np.uint8)).save(tmp_path / f"{i}.jpg")
    dataset = labeled([("cat", A)], [("dog", B), ("cat", A)], [])
    return replace(dataset, root=tmp_path)


@pytest.fixture
def detections(detected):
    return [detected(("cat", 0.9, A)), detected(("dog", 0.8, B)), detected(("cat", 0.3, B))]


def test_detect_all_goes_through_the_photos_in_order(photos, detections):
    detector, steps = StubDetector(detections), []
    assert detect_all(detector, photos, progress=lambda done, of: steps.append((done, of))) == detections
    assert [int(photo.float().mean().round()) for photo in detector.shown] == [0, 50, 100]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_detect_all_names_a_missing_photo(photos, detections):
    photos.path(1).unlink()
    with pytest.raises(PhotoError, match=r"1\.jpg"):
        detect_all(StubDetector(detections), photos)


def test_dict_holds_the_metrics(photos, detections):
    metrics = evaluate_detector(StubDetector(detections), photos).to_dict()
    assert json.loads(json.dumps(metrics)) == metrics
    assert metrics["images"] == 3
    assert metrics["objects"] == 3
    assert metrics["AP50"] == pytest.approx((51 / 101 + 1) / 2)
    assert metrics["VOC_AP_all"] == pytest.approx(0.75)
    assert metrics["VOC_AP_11"] == pytest.approx((6 / 11 + 1) / 2)
    assert metrics["APl"] is None
    assert metrics["AP50_interval"][0] <= metrics["AP50"] <= metrics["AP50_interval"][1]
    assert metrics["interval_resamples"] > 900
    dog = metrics["per_class"]["dog"]
    assert dog["AP_interval"][0] < dog["AP_interval"][1] == 1.0
    assert dog["AP50_interval"][0] < dog["AP50_interval"][1] == 1.0
    assert {name: value for name, value in dog.items() if not name.endswith("_interval")} == {
        "AP": pytest.approx(1.0),
        "AP50": pytest.approx(1.0),
        "VOC_AP": pytest.approx(1.0),
        "best_F1": pytest.approx(1.0),
        "best_min_score": pytest.approx(0.4),
        "objects": 1,
    }


def test_intervals_can_be_left_out(photos, detections):
    metrics = evaluate_detections(photos, detections, interval=False).to_dict()
    assert metrics["AP_interval"] is metrics["AP50_interval"] is metrics["AP75_interval"] is None
    assert metrics["per_class"]["dog"]["AP_interval"] is None


def test_classes_in_another_order_give_the_same_metrics(photos, detections):
    swapped = [
        Detections(found.boxes, found.scores, 1 - found.labels, ("dog", "cat"), found.size)
        for found in detections
    ]
    assert evaluate_detections(photos, swapped) == evaluate_detections(photos, detections)


def test_unseen_class_is_an_error_before_any_photo_is_opened(photos, detections):
    detector = StubDetector(detections, ("cat", "owl"))
    with pytest.raises(LabelError, match='"dog": 1 object in'):
        evaluate_detector(detector, photos)
    assert detector.shown == []


def test_extra_and_skipped_classes_are_noted(photos, detected):
    names = ("owl", "cat")
    found = [detected(("cat", 0.9, A), ("owl", 0.4, B), class_names=names)] * 2 + [
        detected(class_names=names)
    ]
    evaluation = evaluate_detector(StubDetector(found, names), photos, on_unseen_classes="skip")
    assert list(evaluation.coco.per_class) == ["cat"]
    assert evaluation.coco.AP50 == pytest.approx(1.0)
    assert evaluation.objects == 2
    assert evaluation.notes == (
        'classes that the model does not know are left out of the metrics:\n  "dog": 1 object in 1.jpg',
        '2 detections of classes that the data set does not have are left out: "owl".',
    )


def test_no_photos_are_an_error(labeled):
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_detections(labeled(), [])


def test_table_shows_every_class_the_intervals_and_the_notes(photos, detections):
    evaluation = replace(evaluate_detections(photos, detections), notes=("Something was left out.",))
    console = Console(file=io.StringIO(), width=120)
    console.print(detection_table(evaluation))
    text = console.file.getvalue()
    assert "3 photos, 3 objects" in text
    assert "95% interval" in text
    assert "0.752" in text
    assert "APl  (over 96² px)" in text
    assert "–" in text
    dog = next(line.split("│") for line in text.splitlines() if line.startswith("│ dog"))
    assert [cell.strip() for cell in dog[2:4]] == ["1", "1.000"]
    assert dog[4].strip().endswith("to 1.000")
    assert [cell.strip() for cell in dog[5:7]] == ["1.000", "1.000"]
    assert "resamples of the 3 photos; with fewer than 10, intervals are rough" in " ".join(text.split())
    assert "Something was left out." in text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_and_boxes_must_be_finite(photos, detections, value):
    scores, boxes = detections[1].scores.copy(), detections[1].boxes.copy()
    scores[0], boxes[0, 0] = value, value
    for odd in (replace(detections[1], scores=scores), replace(detections[1], boxes=boxes)):
        with pytest.raises(
            ValueError, match=r"1\.jpg: expected finite boxes and scores, found NaN or infinity"
        ):
            evaluate_detections(photos, [detections[0], odd, detections[2]])

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import boxmask
from boxmask.errors import CheckpointError, UsageError
from boxmask.prediction.detector_options import ChosenClasses, min_scores, with_nms_iou
from boxmask.prediction.options import PredictKeywords
from boxmask.results.min_score import at_least, check_min_scores, describe
from boxmask.results.nothing_found import note_on_nothing_found
from boxmask.types import Detections
from boxmask.weights.checkpoint import load_detector, load_model, read_checkpoint, save_checkpoint

Runs = Callable[[str], Path]


def found(scores: list[float], labels: list[int]) -> Detections:
    values = np.array(scores, dtype=np.float32)
    boxes = np.zeros((len(scores), 4), dtype=np.float32)
    return Detections(boxes, values, np.array(labels, dtype=np.int64), ("cat", "dog"), (9, 9))


# ---------------------------------------------------------------- classes


def test_only_chosen_classes_are_found(trained: Path, demo: Path) -> None:
    detector = load_detector(trained)
    detector.config = replace(detector.config, score_threshold=0.0)
    photo = demo / "images" / "test-00023.jpg"
    everything = detector.predict(photo)
    names = (everything.names[0], "one")
    chosen = ChosenClasses(detector, detector, names).predict(photo)
    assert chosen == everything.filter(names=list(names))
    by_comma = ChosenClasses(detector, detector, (",".join(names),)).predict(photo)
    assert by_comma == chosen


def test_an_unknown_class_is_an_error_with_a_suggestion(trained: Path) -> None:
    detector = load_detector(trained)
    with pytest.raises(
        UsageError, match=r'^--classes: the model has no class "sevn"\. Did you mean "seven"\? It has "eight"'
    ):
        ChosenClasses(detector, detector, ("one", "sevn"))


@pytest.mark.parametrize("kind", ["unet", "classifier"])
def test_other_models_take_none_of_these_options(runs: Runs, kind: str) -> None:
    model = load_model(runs(kind))
    with pytest.raises(UsageError, match="--classes works for detectors only"):
        ChosenClasses(model, model, ("one",))
    with pytest.raises(UsageError, match=r"--nms-iou .* works for detectors only"):
        with_nms_iou(model, 0.5)
    with pytest.raises(UsageError, match=r"--min-score auto .* works for detectors only"):
        min_scores(runs(kind), model, "auto")


# ---------------------------------------------------------------- NMS


def test_nms_keeps_more_boxes_at_a_higher_iou(trained: Path, demo: Path) -> None:
    photo, counts = demo / "images" / "test-00023.jpg", []
    for nms_iou in (0.0, 0.5, 1.0):
        detector = load_detector(trained)
        detector.config = replace(detector.config, score_threshold=0.0, detections_per_image=1000)
        detector = with_nms_iou(detector, nms_iou)
        counts.append(len(detector.predict(photo)))
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


# ---------------------------------------------------------------- minimum scores


def test_a_number_holds_for_all_classes(trained: Path) -> None:
    assert min_scores(trained, load_detector(trained), 0.3) == 0.3
    result = found([0.9, 0.6, 0.2], [0, 1, 0])
    assert at_least(result, 0.5) == result[:2]
    assert describe(0.5) == "a score of 0.5 or more"


def test_the_recorded_scores_hold_for_their_classes(trained: Path, tmp_path: Path) -> None:
    tensors, metadata = read_checkpoint(trained / "best.safetensors")
    detector = load_detector(trained)
    for recorded in ({"one": 0.25, "two": 0.5}, {}, {"one": "high"}):
        changed = replace(metadata, metrics={**metadata.metrics, "min_scores": recorded})
        save_checkpoint(tmp_path / "best.safetensors", tensors, changed)
        if recorded == {"one": 0.25, "two": 0.5}:
            assert min_scores(tmp_path, detector, "auto") == recorded
        else:
            error = CheckpointError if recorded else UsageError
            with pytest.raises(error, match="Give a number"):
                min_scores(tmp_path, detector, "auto")


def test_scores_per_class_select_by_class() -> None:
    result = found([0.9, 0.6, 0.55, 0.4, 0.3], [0, 1, 0, 1, 0])
    assert at_least(result, {"cat": 0.7, "dog": 0.35}) == result[np.array([0, 1, 3])]
    assert at_least(result, {"cat": 0.7}) == result[np.array([0, 1])]  # dogs: 0.5
    assert at_least(found([], []), {"cat": 0.7}) == found([], [])
    with pytest.raises(UsageError, match="--min-score: expected 0 to 1, found 2"):
        check_min_scores({"cat": 2.0}, "--min-score")


def test_published_weights_have_no_recorded_scores(trained: Path) -> None:
    name = Path("torchvision/ssdlite320_mobilenet_v3_large")
    with pytest.raises(UsageError, match="has no recorded minimum scores"):
        min_scores(name, load_detector(trained), "auto")


# ---------------------------------------------------------------- nothing found


def test_what_to_try_if_nothing_is_found() -> None:
    low = [found([0.31], [1]), found([], []), found([0.12], [0])]
    (note,) = note_on_nothing_found(low, 0.5)
    assert note.startswith("no photo has an object with a score of 0.5 or more; the highest score is 0.31")
    assert "Try --min-score (in Python: min_score) 0.15" in note
    assert note.endswith("the photos show the classes of the model (cat, dog).")
    (note,) = note_on_nothing_found([found([], [])], 0.5)
    assert note.startswith("nothing was found in any photo, whatever the score. Check that")
    assert note_on_nothing_found(low, 0.3) == note_on_nothing_found([], 0.5) == ()


# ---------------------------------------------------------------- all together


def test_the_options_reach_the_files(trained: Path, demo: Path, tmp_path: Path) -> None:
    photos = demo / "images" / "test-*.jpg"
    whole = boxmask.predict(trained, photos, tmp_path / "whole", save="csv")
    names = [name for result in whole.results for name in result.names]
    wanted = max(set(names), key=names.count)
    prediction = boxmask.predict(
        trained, photos, tmp_path / "some", save="csv", classes=[wanted], nms_iou=0.1, min_score=0.0
    )
    found_names = {name for result in prediction.results for name in result.names}
    assert found_names == {wanted}
    assert sum(map(len, prediction.results)) <= names.count(wanted)
    options: PredictKeywords = {"save": "csv", "classes": [wanted], "min_score": 0.0, "resume": True}
    again = boxmask.predict(trained, photos, tmp_path / "some", nms_iou=0.1, **options)
    assert again.results == prediction.results
    with pytest.raises(UsageError, match=r"used --nms-iou 0\.1, and this one uses no --nms-iou"):
        boxmask.predict(trained, photos, tmp_path / "some", **options)

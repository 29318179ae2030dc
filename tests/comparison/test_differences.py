"""A difference is the metric of the first model minus that of the second, wherever it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.comparison.contract import ComparedModel, Comparison
from boxmask.comparison.photos import ComparedPhotos
from boxmask.comparison.report.differences import make_pairs
from boxmask.comparison.statistics import compare_pairs, describe
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.types import Detections

COUNT = 40


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    """A poor model, which finds every fourth object, and a good one, which finds all."""
    boxes = np.tile(np.array([[5, 5, 25, 25]], np.float32), (COUNT, 1))
    dataset = DetectionDataset(
        root=Path("photos"),
        class_names=("cat",),
        files=np.array([f"{photo}.jpg" for photo in range(COUNT)]),
        image_ids=np.arange(COUNT),
        sizes=np.full((COUNT, 2), 40, np.int32),
        splits=np.array(["test"] * COUNT),
        offsets=np.arange(COUNT + 1),
        boxes=boxes,
        labels=np.zeros(COUNT, np.int64),
        areas=np.full(COUNT, 400, np.float32),
        crowd=np.zeros(COUNT, np.bool_),
        difficult=np.zeros(COUNT, np.bool_),
    )

    def model(name: str, every: int) -> ComparedModel:
        found = [
            Detections(
                boxes[:1] if photo % every == 0 else boxes[:0],
                np.full(int(photo % every == 0), 0.5, np.float32),
                np.zeros(int(photo % every == 0), np.int64),
                ("cat",),
                (40, 40),
            )
            for photo in range(COUNT)
        ]
        evaluation = evaluate_detections(dataset, found)
        return ComparedModel(name, None, Path(name), evaluation, found, None, None, (), None, None)

    models = (model("poor", 4), model("good", 1))
    photos = ComparedPhotos(Path("photos"), "detection", (), dataset, dataset)
    differences = compare_pairs(photos, models, "AP")
    sentences = describe(photos, models, "AP", differences)
    return Comparison(Path("photos"), "test", dataset, "detection", "AP", models, (), differences, sentences)


def test_the_first_minus_the_second(comparison: Comparison) -> None:
    (pair,) = comparison.differences
    poor, good = (model.evaluation["AP"] for model in comparison.models)
    assert poor is not None
    assert good is not None
    assert (pair.first, pair.second, pair.better) == ("poor", "good", "good")
    assert pair.difference == pytest.approx(poor - good)
    assert pair.interval is not None
    assert pair.interval.low < pair.difference < pair.interval.high < 0
    (written,) = comparison.to_dict()["differences"]
    assert (written["first"], written["difference"] < 0, written["interval"][1] < 0) == ("poor", True, True)


def test_sentence_and_report_name_the_better_model_first(comparison: Comparison) -> None:
    assert comparison.sentences[0].startswith("good is better than poor on these photos (AP +0.")
    for differences in (comparison.differences, (comparison.differences[0].reversed(),)):
        pairs = make_pairs(replace(comparison, differences=differences))
        assert pairs is not None
        (row,) = pairs.rows
        assert (row.names, row.numbers, row.verdict) == (("good", "poor"), (1, 0), "pair.real")
        assert row.difference.startswith("+")
        assert row.interval.startswith("+")

"""A comparison as JSON, CSV and text."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxmask.comparison.contract import ComparedModel, Comparison, FailedModel, Speed, Spread, Training
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import UsageError
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.types import Detections


def one_photo() -> DetectionDataset:
    return DetectionDataset(
        root=Path("photos"),
        class_names=("cat",),
        files=np.array(["a.jpg"]),
        image_ids=np.array([0]),
        sizes=np.array([[40, 50]], dtype=np.int32),
        splits=np.array(["test"]),
        offsets=np.array([0, 1]),
        boxes=np.array([[0, 0, 10, 10]], dtype=np.float32),
        labels=np.array([0]),
        areas=np.array([100], dtype=np.float32),
        crowd=np.array([False]),
        difficult=np.array([False]),
    )


def make_comparison() -> Comparison:
    dataset = one_photo()
    boxes, scores = np.array([[0, 0, 10, 10]], dtype=np.float32), np.array([0.5], dtype=np.float32)
    results = (Detections(boxes, scores, np.array([0]), ("cat",), (40, 50)),)
    model = ComparedModel(
        name="ssd",
        method="ssd",
        source=Path("runs/ssd"),
        evaluation=evaluate_detections(dataset, results),
        results=results,
        failures=None,
        training=Training(2.0, 3.0, 20.0, 500.0, 0),
        speeds=(Speed("torch", 10.0, 12.0, {"features": 8.0}, 400.0, 16.0),),
        parameters=3_000_000,
        operations=None,
    )
    failed = (FailedModel("rcnn", "out of memory"),)
    spreads = (Spread("ssd", "AP", (0.4, 0.6)),)
    return Comparison(Path("photos"), "test", dataset, "detection", "AP", (model,), failed, spreads=spreads)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_the_table_holds_file_names_that_are_no_text(tmp_path: Path) -> None:
    comparison = make_comparison()
    source = Path(os.fsdecode(b"caf\xe9"))
    models = (replace(comparison.models[0], name="caf\udce9", source=source),)
    replace(comparison, models=models).save_csv(tmp_path / "comparison.csv")
    assert b"caf\xe9,ssd,caf\xe9" in (tmp_path / "comparison.csv").read_bytes()


def test_the_json_file_holds_models_and_failures(tmp_path: Path) -> None:
    make_comparison().save_json(tmp_path / "comparison.json")
    content = json.loads((tmp_path / "comparison.json").read_text())
    assert content["models"][0]["metrics"]["AP"] == pytest.approx(1.0)
    assert content["models"][0]["speeds"][0]["stages_ms"] == {"features": 8.0}
    assert content["failed"] == [{"name": "rcnn", "message": "out of memory"}]
    assert content["spreads"][0]["deviation"] == pytest.approx(0.02**0.5)


def test_the_csv_table_has_one_row_per_model(tmp_path: Path) -> None:
    make_comparison().save_csv(tmp_path / "comparison.csv")
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["ssd", "rcnn"]
    assert (rows[0]["torch_median_ms"], rows[0]["training_minutes"]) == ("10.0", "2.0")
    assert rows[1]["error"] == "out of memory"


def test_files_of_the_user_stay(tmp_path: Path) -> None:
    (tmp_path / "comparison.csv").write_text("mine")
    with pytest.raises(UsageError, match="is not replaced"):
        make_comparison().save_csv(tmp_path / "comparison.csv")


def test_the_table_names_failed_models_and_seeds() -> None:
    text = repr(make_comparison())
    assert "rcnn: out of memory" in text
    assert "ssd: AP of 2 seeds 0.500 ± 0.141" in text

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.errors import PhotoError, UsageError
from boxmask.prediction.predict import Prediction, predict_photos
from boxmask.tasks.classification.writer import ClassificationWriter
from boxmask.types import Classification
from boxmask.weights.checkpoint import load_model

CLASS_NAMES = ("night, dark", "Tag")


class Brightness:
    """Scores the second class by the mean brightness of the photo."""

    config = SimpleNamespace(class_names=CLASS_NAMES)

    def predict(self, photo: np.ndarray) -> Classification:
        brightness = torch.tensor(photo.mean() / 255, dtype=torch.float32)
        return Classification(torch.stack([1 - brightness, brightness]), CLASS_NAMES)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """dark.png, deeper/bright.png in gray, dot.png of a single pixel."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.new("RGB", (30, 20), (51, 51, 51)).save(folder / "dark.png")
    Image.new("L", (30, 20), 255).save(folder / "deeper" / "bright.png")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    return folder


def classify(inputs: list[Path], out: Path, **options: Any) -> Prediction:
    return predict_photos(Brightness(), inputs, out, ClassificationWriter(out, None, CLASS_NAMES), **options)


def rows_of(table: Path) -> list[list[str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_table_has_a_row_per_photo(photos: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    prediction = classify([photos], tmp_path / "out", progress=lambda *done: calls.append(done))
    assert prediction.files == [tmp_path / "out" / "classes.csv"]
    assert rows_of(prediction.files[0]) == [
        ["photo", "class", "night, dark", "Tag"],
        [(photos / "dark.png").as_posix(), "night, dark", "0.8000", "0.2000"],
        [(photos / "deeper" / "bright.png").as_posix(), "Tag", "0.0000", "1.0000"],
        [(photos / "dot.png").as_posix(), "night, dark", "1.0000", "0.0000"],
    ]
    assert [result.name for result in prediction.results] == ["night, dark", "Tag", "night, dark"]
    assert (prediction.errors, prediction.summary) == ([], "")
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_a_damaged_photo_is_reported_and_the_others_are_classified(photos: Path, tmp_path: Path) -> None:
    (photos / "dark.png").write_bytes(b"not a photo")
    prediction = classify([photos], tmp_path / "out")
    assert len(prediction.errors) == 1
    assert prediction.errors[0].startswith(f"{photos / 'dark.png'}: ")
    rows = rows_of(prediction.files[0])[1:]
    assert [row[0] for row in rows] == [photo.as_posix() for photo in prediction.photos]
    assert len(prediction.photos) == len(prediction.results) == 2


def test_if_no_photo_can_be_read_the_table_has_only_its_heading(photos: Path, tmp_path: Path) -> None:
    (photos / "dark.png").write_bytes(b"")
    prediction = classify([photos / "dark.png"], tmp_path / "out")
    assert rows_of(prediction.files[0]) == [["photo", "class", "night, dark", "Tag"]]
    assert (prediction.photos, len(prediction.errors)) == ([], 1)


@pytest.mark.parametrize("given", ["gone.png", "*.gif"])
def test_an_input_that_matches_no_photo_is_an_error(tmp_path: Path, given: str) -> None:
    with pytest.raises(PhotoError):
        classify([tmp_path / given], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_the_folder_is_an_error(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match=r"out: expected a folder for the results, found a file"):
        classify([photos], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_there_are_no_other_formats(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--save: a classifier writes classes\.csv; leave the flag out"):
        ClassificationWriter(tmp_path / "out", ("jpg",), CLASS_NAMES)


def test_a_trained_classifier(runs: Callable[[str], Path], demo: Path, tmp_path: Path) -> None:
    model: Any = load_model(runs("classifier"))
    writer = ClassificationWriter(tmp_path, None, model.config.class_names)
    prediction = predict_photos(model, [demo / "images" / "test-*.jpg"], tmp_path, writer)
    heading, *rows = rows_of(prediction.files[0])
    assert heading == ["photo", "class", *model.config.class_names]
    assert len(rows) == 4
    for row in rows:
        scores = [float(score) for score in row[2:]]
        assert sum(scores) == pytest.approx(1, abs=1e-2)
        assert row[1] == heading[2:][scores.index(max(scores))]

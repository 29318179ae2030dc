from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from boxmask.tasks.classification.prediction import classify_photos
from PIL import Image

from boxmask.errors import PhotoError, UsageError
from boxmask.photos.read import to_image
from boxmask.types import Classification
from boxmask.weights.checkpoint import load_model


class Brightness:
    """The brighter a photo, the surer that it is day."""

    config = SimpleNamespace(class_names=("night, dark", "Tag"))

    def predict(self, photo: Path) -> Classification:
        light = to_image(photo).float().mean() / 255
        return Classification(torch.stack([1 - light, light]), self.config.class_names)


CLASSIFIER: Any = Brightness()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """dark.png, deeper/bright.png in gray, dot.png of a single pixel."""
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    Image.new("RGB", (30, 20), (51, 51, 51)).save(folder / "dark.png")
    Image.new("L", (30, 20), 255).save(folder / "deeper" / "bright.png")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    return folder


def rows(table: Path) -> list[list[str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_table_has_a_row_for_each_photo(photos: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = classify_photos(CLASSIFIER, [photos], tmp_path / "out", progress=lambda *n: told.append(n))
    assert done.table == tmp_path / "out" / "classes.csv"
    assert rows(done.table) == [
        ["photo", "class", "night, dark", "Tag"],
        [(photos / "dark.png").as_posix(), "night, dark", "0.8000", "0.2000"],
        [(photos / "deeper" / "bright.png").as_posix(), "Tag", "0.0000", "1.0000"],
        [(photos / "dot.png").as_posix(), "night, dark", "1.0000", "0.0000"],
    ]
    assert [one.name for one in done.classes] == ["night, dark", "Tag", "night, dark"]
    assert done.faults == []
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_damaged_photo_is_a_fault_and_the_others_go_on(photos: Path, tmp_path: Path) -> None:
    (photos / "dark.png").write_bytes(b"not a photo")
    done = classify_photos(CLASSIFIER, [photos], tmp_path / "out")
    assert len(done.faults) == 1
    assert done.faults[0].startswith(f"{photos / 'dark.png'}: ")
    assert [row[0] for row in rows(done.table)[1:]] == [photo.as_posix() for photo in done.photos]
    assert len(done.photos) == len(done.classes) == 2


def test_no_photo_can_be_read(photos: Path, tmp_path: Path) -> None:
    (photos / "dark.png").write_bytes(b"")
    done = classify_photos(CLASSIFIER, [photos / "dark.png"], tmp_path / "out")
    assert rows(done.table) == [["photo", "class", "night, dark", "Tag"]]
    assert (done.photos, len(done.faults)) == ([], 1)


@pytest.mark.parametrize("given", ["gone.png", "*.gif"])
def test_an_input_that_means_no_photo(tmp_path: Path, given: str) -> None:
    with pytest.raises(PhotoError):
        classify_photos(CLASSIFIER, [tmp_path / given], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="out: is a file; give a folder with --out"):
        classify_photos(CLASSIFIER, [photos], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_trained_classifier(runs: Callable[[str], Path], demo: Path, tmp_path: Path) -> None:
    done = classify_photos(
        load_model(runs("classifier")),  # type: ignore[arg-type]
        [demo / "images" / "test-*.jpg"],
        tmp_path,
    )
    heading, *table = rows(done.table)
    assert len(table) == 4
    for row in table:
        scores = [float(score) for score in row[2:]]
        assert sum(scores) == pytest.approx(1, abs=1e-2)
        assert row[1] == heading[2:][scores.index(max(scores))]

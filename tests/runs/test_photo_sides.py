"""The photos of a run are found again, also if it was trained on a label file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from boxmask.exporting.parity.photos import validation_photos
from boxmask.runs import photo_sides
from boxmask.runs.photo_sides import split_photos, training_photo_side


@pytest.mark.parametrize("trained_on", ["data", "data/labels.json"])
def test_photos_of_a_split(trained_on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = tmp_path / "data" / "images"
    images.mkdir(parents=True)
    for name, size in (("a.png", (30, 20)), ("b.png", (50, 40))):
        Image.new("RGB", size).save(images / name)
    (tmp_path / "data" / "labels.json").touch()
    run = tmp_path / "run"
    run.mkdir()
    splits = {"images/a.png": "train", "images/b.png": "val", "images/gone.png": "val"}
    monkeypatch.setattr(photo_sides, "read_recipe", lambda run: (None, tmp_path / trained_on))
    monkeypatch.setattr(photo_sides, "read_split_file", lambda file: SimpleNamespace(splits=splits))
    assert split_photos(run, "val") == [images / "b.png", images / "gone.png"]
    assert validation_photos(run) == [images / "b.png"]
    assert training_photo_side(run) == 20


def test_a_folder_that_is_no_run_has_no_known_photos(tmp_path: Path) -> None:
    assert split_photos(tmp_path, "val") == []
    assert training_photo_side(tmp_path) is None

"""The files of an explanation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.errors import UsageError
from boxmask.explaining.explain import explain_photo
from boxmask.models.table import AnyModel
from boxmask.visualization.style import RGBImage

Build = Callable[..., AnyModel]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_pictures_are_numbered(photo: RGBImage, tmp_path: Path, build: Build) -> None:
    explanation = explain_photo(build("classifier"), photo)
    files = explanation.save(tmp_path / "out")
    expected = ["01-image.jpg", "02-features.jpg", "03-class-activation.jpg", "04-scores.jpg"]
    assert names(tmp_path / "out") == [*expected, "all-stages.jpg", "stages.txt"]
    assert [file.name for file in files] == [*expected, "all-stages.jpg", "stages.txt"]
    with Image.open(tmp_path / "out" / "01-image.jpg") as picture:
        assert picture.size == explanation[0].picture.shape[1::-1]
    text = (tmp_path / "out" / "stages.txt").read_text(encoding="utf-8")
    for number, stage in enumerate(explanation, start=1):
        assert f"{number}. {stage.title}\n{stage.text}\n" in text


def test_the_pictures_of_an_earlier_call_are_removed(photo: RGBImage, tmp_path: Path, build: Build) -> None:
    explain_photo(build("faster-rcnn"), photo).save(tmp_path)
    explain_photo(build("classifier"), photo).save(tmp_path)
    assert len(names(tmp_path)) == 6


def test_a_file_of_the_user_is_not_replaced(photo: RGBImage, tmp_path: Path, build: Build) -> None:
    mine = tmp_path / "01-image.jpg"
    mine.write_bytes(b"mine")
    with pytest.raises(UsageError, match="is not replaced"):
        explain_photo(build("classifier"), photo).save(tmp_path)
    assert mine.read_bytes() == b"mine"
    assert names(tmp_path) == ["01-image.jpg"]


def test_the_contact_sheet_shows_all_stages(photo: RGBImage, build: Build) -> None:
    explanation = explain_photo(build("fcos"), photo)
    sheet = explanation.contact_sheet()
    assert sheet.shape[1] == 1800
    assert sheet.dtype == np.uint8

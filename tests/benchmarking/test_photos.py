"""Which photos the models are run on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from boxmask.benchmarking import photos
from boxmask.benchmarking.photos import choose_photos
from boxmask.errors import PhotoError

Scene = Callable[..., Image.Image]


@pytest.fixture
def folder(tmp_path: Path, scene: Scene) -> Path:
    """Seven photos of growing sizes."""
    (tmp_path / "photos").mkdir()
    for number in range(7):
        scene(number, (40 + number, 30)).save(tmp_path / "photos" / f"{number}.jpg")
    return tmp_path / "photos"


def test_photos_of_the_user(folder: Path, tmp_path: Path) -> None:
    chosen = choose_photos([tmp_path], [folder], tmp_path, (1, 4))
    assert [file.name for file in chosen.files] == ["0.jpg", "2.jpg", "4.jpg", "6.jpg"]
    assert chosen.sizes == ((30, 40), (30, 42), (30, 44), (30, 46))
    assert str(chosen) == f"4 photos of {folder}, 40x30 to 46x30"


def test_a_large_batch_takes_more_photos(folder: Path, tmp_path: Path) -> None:
    assert len(choose_photos([], [folder], tmp_path, (1, 6)).files) == 6
    assert len(choose_photos([], [folder], tmp_path, (100,)).files) == 7


def test_validation_photos_of_the_first_run_that_has_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    found = {"second": [folder / "3.jpg"]}
    monkeypatch.setattr(photos, "validation_photos", lambda run: found.get(run.name, []))
    sources = [tmp_path / name for name in ("first", "second")]
    chosen = choose_photos(sources, None, tmp_path, (1, 4))
    assert str(chosen) == "1 validation photo of the training, 43x30"


def test_without_photos_some_are_generated(tmp_path: Path) -> None:
    chosen = choose_photos([], None, tmp_path, (1, 4))
    assert str(chosen) == "4 generated photos, 640x480"
    assert len({file.read_bytes() for file in chosen.files}) == 4


def test_photos_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PhotoError):
        choose_photos([], [tmp_path / "away"], tmp_path, (1,))
    (tmp_path / "broken.jpg").write_text(json.dumps("no photo"))
    with pytest.raises(PhotoError, match=r"broken\.jpg"):
        choose_photos([], [tmp_path / "broken.jpg"], tmp_path, (1,))

"""Photos are copied or linked, never changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boxmask.data.photo_files import PhotoMode, place_photo
from boxmask.errors import OutputError, PhotoError


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"pixels")
    return path


def test_a_copy_has_the_same_bytes_and_default_permissions(photo: Path, tmp_path: Path) -> None:
    photo.chmod(0o400)
    place_photo(photo, tmp_path / "out", "images/cam 1/a.jpg", "copy")
    copy = tmp_path / "out" / "images" / "cam 1" / "a.jpg"
    assert copy.read_bytes() == b"pixels"
    assert os.access(copy, os.W_OK)


def test_a_link_is_hard_if_possible(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place_photo(photo, tmp_path, "hard.jpg", "link")
    assert (tmp_path / "hard.jpg").samefile(photo)
    assert not (tmp_path / "hard.jpg").is_symlink()

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    place_photo(photo, tmp_path, "soft.jpg", "link")
    assert (tmp_path / "soft.jpg").is_symlink()
    assert (tmp_path / "soft.jpg").read_bytes() == b"pixels"


def test_none_writes_no_photo(photo: Path, tmp_path: Path) -> None:
    place_photo(photo, tmp_path / "out", "a.jpg", "none")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", ["copy", "link"])
@pytest.mark.parametrize("file", ["../a.jpg", "/a.jpg", "b/../../a.jpg"])
def test_no_photo_leaves_the_folder(photo: Path, tmp_path: Path, file: str, mode: PhotoMode) -> None:
    with pytest.raises(OutputError, match="outside the folder"):
        place_photo(photo, tmp_path / "out", file, mode)


@pytest.mark.parametrize("mode", ["copy", "link"])
def test_no_photo_replaces_another(photo: Path, tmp_path: Path, mode: PhotoMode) -> None:
    with pytest.raises(OutputError, match="another photo of this name"):
        place_photo(photo, tmp_path, "photo.jpg", mode)


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"gone\.jpg: this photo cannot be read"):
        place_photo(tmp_path / "gone.jpg", tmp_path, "a.jpg", "copy")

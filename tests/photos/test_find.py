from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from boxmask.photos.find import find_photos, search_photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """a.png, b.png, a symbolic link, a hard link, and a copy of a.png."""
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    Image.new("RGB", (4, 3), "red").save(tmp_path / "b.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "link.png").symlink_to("a.png")
    os.link(tmp_path / "b.png", tmp_path / "same.png")
    return tmp_path


def test_a_file_with_several_names_is_found_once(folder: Path) -> None:
    found = search_photos(folder)
    assert [photo.name for photo in found.photos] == ["a.png", "b.png", "copy.png"]
    assert find_photos(folder) == found.photos
    (note,) = found.notes()
    heading, *lines = note.split("\n  ")
    assert heading == "photos that are named more than once are used once:"
    assert lines == [
        f"{folder / 'link.png'} is the same file as {folder / 'a.png'}",
        f"{folder / 'same.png'} is the same file as {folder / 'b.png'}",
    ]


def test_inputs_that_overlap_are_named(folder: Path) -> None:
    found = search_photos([folder / "b.png", folder / "*.png", folder / "b.png"])
    assert [photo.name for photo in found.photos] == ["b.png", "a.png", "copy.png"]
    assert f"{folder / 'b.png'} is given twice" in found.notes()[0]


def test_without_repeated_names_there_is_no_note(folder: Path) -> None:
    assert search_photos([folder / "a.png", folder / "b.png"]).notes() == ()

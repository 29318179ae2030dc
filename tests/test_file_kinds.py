"""Every file that is not read is counted in one line, except those that nobody expects to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.classification.read import read_classification
from boxmask.data.detection.read import read_detection
from boxmask.data.segmentation.read import read_segmentation
from boxmask.errors import BoxmaskError
from boxmask.file_kinds import is_incidental, is_video, note_on_unused_files
from boxmask.photos.find import find_photos
from boxmask.photos.read import to_image
from boxmask.weights.checkpoint import load_model
from boxmask.weights.state_dict import read_state_dict


def test_files_are_counted_by_ending() -> None:
    files = ["a.txt", "b/b.TXT", "c.heic", "d.mp4", "e.MP4", "f.mp4", "LABELS"]
    assert note_on_unused_files(files) == (
        "not used: 3 .mp4 (video), 2 .txt, "
        "1 .heic (pip install pillow-heif to read it, or convert it to JPEG), 1 without an ending",
    )


def test_large_counts_have_a_separator() -> None:
    assert note_on_unused_files([f"{n}.zip" for n in range(1234)]) == (
        "not used: 1,234 .zip (archive: give it as DATA, or unpack it)",
    )


def test_no_note_without_files() -> None:
    assert note_on_unused_files([]) == ()
    assert note_on_unused_files(["Thumbs.db", "x/README.md"]) == ()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("Thumbs.db", True),
        ("a/b/desktop.ini", True),
        ("README", True),
        ("README.roboflow.txt", True),
        ("LICENSE-2.0.txt", True),
        ("licence_en.pdf", True),
        ("labels.cache", True),
        ("__MACOSX/a/x.txt", True),
        ("readmeter.txt", False),
        ("license/scan.txt", False),
        ("notes.txt", False),
        ("authority.csv", False),
    ],
)
def test_incidental_files(file: str, expected: bool) -> None:
    assert is_incidental(file) is expected


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "\ud800", "a/" * 3000])
def test_names_that_no_disk_can_hold_are_errors_of_boxmask(name: str) -> None:
    readers = (load_model, read_detection, read_segmentation, read_classification, find_photos, to_image)
    for read in readers:
        with pytest.raises(BoxmaskError):
            read(name)
    with pytest.raises(BoxmaskError):
        read_state_dict(Path(name))


@pytest.mark.parametrize(
    ("file", "expected"), [("a/b.MP4", True), ("a.mkv", True), ("a.jpg", False), ("mp4", False)]
)
def test_videos(file: str, expected: bool) -> None:
    assert is_video(file) is expected

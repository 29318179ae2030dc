"""Photos inside label files are saved to the cache, and read like others."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data import filled_folder
from boxmask.data.conversion.convert import convert
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.doctor.check import check_data
from boxmask.errors import LabelError, OutputError
from boxmask.photos.read import load_photo


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOXMASK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write label files of one box, with the photo that each one holds, or without."""

    def run(photos: dict[str, str | None], **fields: Any) -> Path:
        for number, (file, photo) in enumerate(photos.items()):
            box = {"label": "cat", "points": [[1, 1], [9, 9 + number]], "shape_type": "rectangle"}
            content = {"shapes": [box], "imagePath": "photo.bmp", "imageData": photo, **fields}
            (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / file).write_text(json.dumps(content))
        return tmp_path / "data"

    return run


def gray(dataset: DetectionDataset, photo: int = 0) -> int:
    """The first pixel of a photo."""
    return int(load_photo(dataset.path(photo))[0, 0, 0])


def embedded(gray: int = 90, form: str = "PNG") -> str:
    content = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), gray, dtype=np.uint8)).save(content, form)
    return base64.b64encode(content.getvalue()).decode()


def test_they_are_saved_under_the_names_of_their_label_files(write: Callable[..., Path], cache: Path) -> None:
    root = write({"train/a.json": embedded(10), "test/b.json": embedded(250, "JPEG")})
    before = sorted(root.rglob("*"))
    dataset = read_detection(root)
    assert dataset.files.tolist() == ["test/b.jpg", "train/a.png"]
    assert dataset.splits.tolist() == ["test", "train"]
    assert dataset.boxes.tolist() == [[1, 1, 9, 10], [1, 1, 9, 9]]
    assert [gray(dataset, photo) for photo in range(2)] == [250, 10]
    assert dataset.root.parent == cache / "embedded-photos"
    assert any("only inside their label files (2)" in note for note in dataset.notes)
    assert sorted(root.rglob("*")) == before, "nothing is written beside the labels"


def test_they_are_saved_once_and_again_after_a_change(write: Callable[..., Path]) -> None:
    first = read_detection(write({"a.json": embedded(10)}))
    state = (first.root / "a.png").stat()
    assert (read_detection(write({"a.json": embedded(10)})).root / "a.png").exists()
    root = write({"a.json": embedded(10)})
    again = read_detection(root)
    assert read_detection(root).root == again.root
    assert (first.root / "a.png").stat().st_mtime_ns == state.st_mtime_ns
    changed = read_detection(write({"a.json": embedded(200)}))
    assert changed.root != again.root
    assert gray(changed) == 200


def test_photos_in_files_are_used_beside_them(write: Callable[..., Path]) -> None:
    root = write({"a.json": embedded(10), "cam/b.json": embedded(20)})
    Image.new("RGB", (60, 40), "white").save(root / "cam" / "b.png")
    dataset = read_detection(root)
    assert dataset.files.tolist() == ["a.png", "cam/b.png"]
    assert [gray(dataset, photo) for photo in range(2)] == [10, 255]


def test_nothing_is_saved_if_all_photos_are_files(write: Callable[..., Path], cache: Path) -> None:
    root = write({"a.json": embedded()})
    Image.new("RGB", (60, 40), "white").save(root / "a.png")
    assert read_detection(root).root == root
    assert not cache.exists()


@pytest.mark.parametrize("content", ["aGVsbG8=", "not base64", embedded()[:40]])
def test_what_is_no_photo_is_missing(write: Callable[..., Path], content: str) -> None:
    root = write({"a.json": content, "b.json": embedded()})
    with pytest.raises(LabelError, match=r"a\.json: photo\.bmp \(and the imageData of its label file is no"):
        read_detection(root)
    assert read_detection(root, on_bad_photos="skip").files.tolist() == ["b.png"]


def test_masks_have_the_size_of_the_photo(write: Callable[..., Path]) -> None:
    mask = io.BytesIO()
    Image.fromarray(np.ones((2, 2), dtype=bool)).save(mask, "PNG")
    shape = {
        "label": "cat",
        "points": [[3, 4], [4, 5]],
        "shape_type": "mask",
        "mask": base64.b64encode(mask.getvalue()).decode(),
    }
    dataset = read_detection(write({"a.json": embedded()}, shapes=[shape]))
    masks = dataset.masks(0)
    assert masks is not None
    assert np.argwhere(masks.dense()[0]).tolist() == [
        [4, 3],
        [4, 4],
        [5, 3],
        [5, 4],
    ]


def test_conversions_write_them_as_files(write: Callable[..., Path], tmp_path: Path) -> None:
    convert(write({"a.json": embedded(10)}), "labelme", tmp_path / "out")
    converted = read_detection(tmp_path / "out")
    assert converted.root == tmp_path / "out"
    assert gray(converted) == 10


def test_checks_find_them(write: Callable[..., Path]) -> None:
    root = write({"a.json": embedded(), "b.json": embedded()})
    report = check_data(root)
    ids = {kind.id: report.findings.count(kind) for kind in report.kinds()}
    assert ids["photo-embedded"] == 2
    assert ids["photo-copies"] == 1
    assert not report.has_errors


def test_a_full_disk_is_an_error(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled_folder, "KEPT_FREE", 10**18)
    with pytest.raises(LabelError, match=r"do not fit on the disk of the cache\. Set BOXMASK_CACHE"):
        read_detection(write({"a.json": embedded()}))


def test_a_cache_that_cannot_be_written_is_an_error(write: Callable[..., Path], cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(OutputError):
        read_detection(write({"a.json": embedded()}))

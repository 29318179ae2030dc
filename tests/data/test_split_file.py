"""Split files of people and of other computers name the same photos in other spellings."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.classification.read import read_classification
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.segmentation.read import read_segmentation
from boxmask.data.split_file import apply_split_file, is_split_file, read_split_file, write_split_file
from boxmask.errors import LabelError

Make = Callable[..., DetectionDataset]
NFC = "é.jpg"
NFD = unicodedata.normalize("NFD", NFC)


@pytest.fixture
def dataset(dataset_of: Make, tmp_path: Path) -> DetectionDataset:
    files = np.array(["cam1/a.jpg", "cam2/a.jpg", "cam2/b.jpg", NFC])
    return replace(dataset_of([[0]] * 4), root=tmp_path, files=files)


def apply(dataset: DetectionDataset, path: Path, *train: str, test: tuple[str, ...] = ()) -> DetectionDataset:
    path.write_text(json.dumps({"train": list(train), "test": list(test)}), encoding="utf-8")
    return apply_split_file(dataset, path)


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("cam1/a.jpg", "cam2/a.jpg", "cam2/b.jpg", NFC), ""),
        (("cam1/a.jpg", "./cam2/a.jpg", "cam2\\b.jpg", NFD), ""),
        (("cam1/a.jpg", "cam2/a.jpg", "b.jpg", NFC), ""),
        (("cam1/a.jpg", "cam2/a.jpg", "cam2/B.JPG", NFC), "cam2/B.JPG is cam2/b.jpg (differs in case)"),
        (("cam1/a", "cam2/a.jpg", "cam2/b.png", NFC), "cam2/b.png is cam2/b.jpg (differs in ending)"),
        (("/home/x/cam1/a.jpg", "cam2/a.jpg", "cam2/b.jpg", NFC), "(differs in folders)"),
        (("cam1/a.jpg", "cam2/a.jpg", "cam2/b.jpg", "%C3%A9.jpg"), "(differs in percent-encoding"),
    ],
)
def test_spellings(dataset: DetectionDataset, tmp_path: Path, names: tuple[str, ...], note: str) -> None:
    split = apply(dataset, tmp_path / "split.json", *names[:3], test=names[3:])
    assert split.splits.tolist() == ["train", "train", "train", "test"]
    assert note in "\n".join(split.notes)
    assert bool(split.notes) == bool(note)


def test_an_ambiguous_name_is_refused(dataset: DetectionDataset, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"a\.jpg may be cam1/a\.jpg or cam2/a\.jpg"):
        apply(dataset, tmp_path / "split.json", "a.jpg", "cam2/b.jpg", NFC)


def test_two_names_of_one_photo_are_refused(dataset: DetectionDataset, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"names twice.*\n.*cam2/b\.jpg: cam2/b\.jpg and b\.jpg"):
        apply(dataset, tmp_path / "split.json", "cam2/b.jpg", test=("b.jpg",))


def test_a_name_of_another_folder_is_refused_with_a_suggestion(
    dataset: DetectionDataset, tmp_path: Path
) -> None:
    names = ("cam1/a.jpg", "cam2/a.jpg", "cam2/b.jpg", NFC, "cam1/b.jpg")
    with pytest.raises(LabelError, match=r"cam1/b\.jpg \(did you mean cam2/b\.jpg\?\)"):
        apply(dataset, tmp_path / "split.json", *names)


def test_photos_with_other_contents_are_noted(dataset: DetectionDataset, tmp_path: Path) -> None:
    for file in dataset.files.tolist():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(file.encode())
    dataset = replace(dataset, splits=np.array(["train", "train", "test", "test"]))
    write_split_file(dataset, tmp_path / "split.json")
    assert apply_split_file(dataset, tmp_path / "split.json").notes == ()
    (tmp_path / "cam2/b.jpg").write_bytes(b"another photo")
    (note,) = apply_split_file(dataset, tmp_path / "split.json").notes
    assert note.startswith("photos whose contents have changed since ")
    assert note.endswith(" was written:\n  cam2/b.jpg")


def test_unused_photos_are_left_out(dataset: DetectionDataset, tmp_path: Path) -> None:
    used = replace(dataset.subset(np.arange(2)), splits=np.array(["train", "test"]))
    write_split_file(used, tmp_path / "split.json", ["cam2/b.jpg", NFC])
    split = apply_split_file(dataset, tmp_path / "split.json")
    assert split.files.tolist() == ["cam1/a.jpg", "cam2/a.jpg"]
    assert split.splits.tolist() == ["train", "test"]
    write_split_file(split, tmp_path / "again.json", read_split_file(tmp_path / "split.json").unused)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "split.json").read_bytes()


def test_a_photo_cannot_be_both_used_and_unused(dataset: DetectionDataset, tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    path.write_text('{"train": ["cam2/b.jpg"], "unused": ["cam2/b.jpg"]}', encoding="utf-8")
    with pytest.raises(LabelError, match=r"names twice.*\n.*cam2/b\.jpg"):
        apply_split_file(dataset, path)


# ---------------------------------------------------------------- recognized among other files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"train": ["a.jpg"]}', True),
        ('{\n "val" : [],\n "test": []}', True),
        ('{"contents": {"a.jpg": "1-f"}, "train": []}', True),
        ('\ufeff{"test":["a"]}', True),
        ('{"images": [], "annotations": []}', False),
        ('{"train": "a.jpg"}', False),
        ("[]", False),
        ("", False),
    ],
)
def test_split_files_are_recognized(tmp_path: Path, text: str, expected: bool) -> None:
    file = tmp_path / "any name.json"
    file.write_text(text, encoding="utf-8")
    assert is_split_file(file) is expected
    assert not is_split_file(file.rename(tmp_path / "other.txt"))


@pytest.mark.parametrize("task", ["segmentation", "classification", "detection"])
def test_a_split_file_beside_the_photos_is_no_unused_file(tmp_path: Path, task: str) -> None:
    files = _make(tmp_path, task)
    split = tmp_path / "my split.json"
    split.write_text(json.dumps({"train": files[:-2], "val": files[-2:-1], "test": files[-1:]}))
    (tmp_path / "notes.docx").write_text("")
    dataset: Any = _READERS[task](tmp_path, split_file=split)
    assert [note for note in dataset.notes if "not used" in note] == ["not used: 1 .docx"]


_READERS: dict[str, Callable[..., Any]] = {
    "segmentation": read_segmentation,
    "classification": read_classification,
    "detection": read_detection,
}


def _make(root: Path, task: str) -> list[str]:
    """Six photos for a task; returns their paths."""
    files = []
    for n in range(6):
        folder = f"class{n % 2}" if task == "classification" else "images"
        file = root / folder / f"p{n}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), 40 * n, np.uint8)).save(file)
        files.append(file.relative_to(root).as_posix())
        labels = np.zeros((20, 30), np.uint16 if task == "detection" else np.uint8)
        labels[4:12, 5 : 15 + n] = 1
        if task != "classification":
            (root / "labels").mkdir(exist_ok=True)
            Image.fromarray(labels).save(root / f"labels/p{n}.png")
    if task == "segmentation":
        (root / "classes.txt").write_text("ground\nleaf\n")
    return files

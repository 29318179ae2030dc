"""The examples on the pages of label formats are read as the pages say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from boxmask.data.detection.read import read_detection
from boxmask.data.detection.read_labels import read_labels
from boxmask.data.findings import Findings

PAGES = Path(__file__).parents[3] / "docs" / "formats"
BLOCK = re.compile(r'^```\w+ title="(?P<title>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)

SavePhoto = Callable[..., None]


def examples(page: str) -> dict[str, str]:
    """The texts of a page by the file that their title names: "a.json, beside a.jpg" is a.json."""
    blocks = BLOCK.finditer((PAGES / f"{page}.md").read_text(encoding="utf-8"))
    return {block["title"].partition(",")[0].rpartition(": ")[2]: block["text"] for block in blocks}


@pytest.mark.parametrize(
    ("page", "files", "photos", "objects", "outlines"),
    [
        ("coco", ["annotations/instances_train.json"], ["images/a.jpg"], 3, 2),
        ("createml", ["train/_annotations.createml.json"], ["train/a.jpg", "train/b.jpg"], 1, 0),
        ("csv", ["train_labels.csv"], ["a.jpg"], 1, 0),
        ("csv", ["train-annotations-bbox.csv"], ["0a1b2c3d4e5f6071.jpg"], 1, 0),
        ("csv", ["annotations.csv"], ["images/a.jpg", "images/b.jpg"], 1, 0),
        ("cvat", ["annotations.xml"], ["images/a.jpg"], 3, 2),
        ("label-studio", ["export.json"], ["8f3a1b2c-a.jpg"], 1, 0),
        ("label-studio", ["export.json"], ["a.jpg"], 1, 0),
        ("labelme", ["a.json"], ["a.jpg"], 2, 1),
        ("via", ["via_project.json"], ["a.jpg"], 2, 1),
        ("voc", ["Annotations/a.xml"], ["JPEGImages/a.jpg"], 1, 0),
        ("yolo", ["data.yaml", "labels/train/a.txt"], ["images/train/a.jpg"], 2, 1),
    ],
)
def test_the_example_of_a_page_is_read(
    tmp_path: Path,
    save_photo: SavePhoto,
    page: str,
    files: list[str],
    photos: list[str],
    objects: int,
    outlines: int,
) -> None:
    for photo in photos:
        save_photo(tmp_path / photo, (480, 640))
    texts = examples(page)
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(texts[file], encoding="utf-8")
    findings = Findings()
    labels = read_labels(tmp_path, findings)
    findings.raise_errors()
    assert sorted(photo.file for photo in labels.photos) == photos
    assert len(labels.boxes) == objects
    assert sum(labels.outline is not None and labels.outline(row) is not None for row in range(objects)) == (
        outlines
    )
    dataset = read_detection(tmp_path, on_bad_boxes="error")
    assert set(dataset.class_names) <= {"cat", "dog", "/m/01yrx"}
    assert int(dataset.has_mask.sum()) == outlines


@pytest.mark.parametrize("page", sorted(path.stem for path in PAGES.glob("*.md")))
def test_examples_are_short(page: str) -> None:
    """An example that fits on the screen: about ten lines."""
    for file, text in examples(page).items():
        assert len(text.splitlines()) <= 13, file

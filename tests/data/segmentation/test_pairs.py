"""Which label map belongs to which photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxmask.data.findings import Findings
from boxmask.data.formats.source import Source
from boxmask.data.segmentation.label_map_policy import LabelMapPolicy
from boxmask.data.segmentation.pairs import Pair, find_pairs, scene_folder
from boxmask.errors import LabelError


def source(*files: str) -> Source:
    return Source(Path("set"), tuple(sorted(files)), tuple(sorted(files)))


def pairs_and_notes(*files: str) -> tuple[list[Pair], tuple[str, ...]]:
    findings = Findings()
    pairs = find_pairs(source(*files), findings)
    return pairs, LabelMapPolicy().decide(findings)


@pytest.mark.parametrize(
    ("photo", "label", "split"),
    [
        ("images/x.jpg", "masks/x.png", ""),
        ("images/x.png", "labels/x.png", ""),
        ("imgs/x.JPG", "annotations/x.PNG", ""),
        ("JPEGImages/x.jpg", "SegmentationClass/x.png", ""),
        ("Tile 1/images/a b.jpg", "Tile 1/masks/a b.png", ""),
        ("images/training/x.jpg", "annotations/training/x.png", "train"),
        ("val/images/x.jpg", "val/masks/x.png", "val"),
        ("test/x.png", "test_labels/x_L.png", "test"),
        ("train/x.png", "trainannot/x.png", "train"),
        ("x.jpg", "masks/x.png", ""),
        ("images/x.jpg", "masks/x_mask.png", ""),
        ("x.png", "x_mask.png", ""),
        ("deep/er/x.jpg", "deep/er/x-label.png", ""),
        ("photos/gt_3.jpg", "ground truth/gt_3.tif", ""),
    ],
)
def test_a_pair(photo: str, label: str, split: str) -> None:
    assert pairs_and_notes(photo, label) == ([Pair(photo, label, split)], ())


def test_pairs_with_the_same_name_in_several_folders() -> None:
    files = [f"Tile {n}/{kind}" for n in (1, 2) for kind in ("images/x.jpg", "masks/x.png")]
    pairs, notes = pairs_and_notes(*files, "README.md")
    assert [(pair.photo, pair.label_map) for pair in pairs] == [
        ("Tile 1/images/x.jpg", "Tile 1/masks/x.png"),
        ("Tile 2/images/x.jpg", "Tile 2/masks/x.png"),
    ]
    assert notes == ()
    assert scene_folder("Tile 1/images/x.jpg") == "Tile 1"
    assert scene_folder("x.jpg") == ""


def test_an_exact_name_comes_before_one_with_a_suffix() -> None:
    pairs, _ = pairs_and_notes("images/x.jpg", "images/x_mask.jpg", "masks/x.png", "masks/x_mask.png")
    assert [(pair.photo, pair.label_map) for pair in pairs] == [
        ("images/x.jpg", "masks/x.png"),
        ("images/x_mask.jpg", "masks/x_mask.png"),
    ]


def test_photos_without_a_label_map_are_noted() -> None:
    pairs, notes = pairs_and_notes("images/x.jpg", "images/y.jpg", "masks/x.png", "elsewhere/logo.png")
    assert len(pairs) == 1
    assert notes == ("left out: 1 photo without a label map:\n  set/images/y.jpg",)


@pytest.mark.parametrize(
    "files", [(), ("x.jpg",), ("images/x.jpg", "notes.txt"), ("masks/x.png",), ("weight/x.png", "x.jpg")]
)
def test_no_file_looks_like_a_label_map(files: tuple[str, ...]) -> None:
    assert pairs_and_notes(*files) == ([], ())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("images/x.jpg", "masks/x.jpg"), r"cannot be read \(1\):\n  set/masks/x\.jpg: a lossy format"),
        (
            ("images/x.jpg", "masks/x.png", "masks/legend.png"),
            r"photos that do not exist \(1\):\n  set/masks/legend\.png",
        ),
        (("images/x.jpg", "images/x.png", "masks/x.png"), "masks/x.png or images/x.jpg or images/x.png"),
        (("images/x.jpg", "labels/x.png", "masks/x.png"), "labels/x.png or masks/x.png or images/x.jpg"),
    ],
)
def test_files_that_do_not_match_one_to_one_are_refused(files: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        pairs_and_notes(*files)

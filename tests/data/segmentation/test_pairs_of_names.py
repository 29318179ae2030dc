"""Label maps find their photos in other Unicode forms, cases and endings, and no other photos."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from boxmask.data.findings import Findings
from boxmask.data.formats.source import find_source
from boxmask.data.segmentation.classes_file import read_classes_file
from boxmask.data.segmentation.label_map_policy import LabelMapPolicy
from boxmask.data.segmentation.pairs import find_pairs
from boxmask.errors import LabelError

NFC = "도로"
NFD = unicodedata.normalize("NFD", NFC)


def pairs_of(root: Path, *files: str) -> tuple[dict[str, str], tuple[str, ...]]:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    findings = Findings()
    pairs = find_pairs(find_source(root), findings)
    return {pair.photo: pair.label_map for pair in pairs}, LabelMapPolicy().decide(findings)


@pytest.mark.parametrize(
    ("photo", "label_map"),
    [
        (f"images/{NFC}.jpg", f"masks/{NFD}.png"),
        (f"images/{NFD}/x.jpg", f"masks/{NFC}/x.png"),
        (f"{NFD}.jpg", f"{NFC}_mask.png"),
        ("images/x.0.jpg", "masks/x.0.png"),
    ],
)
def test_the_same_names(tmp_path: Path, photo: str, label_map: str) -> None:
    assert pairs_of(tmp_path, photo, label_map) == ({photo: label_map}, ())


@pytest.mark.parametrize(
    ("photo", "label_map"),
    [
        ("images/X.JPG", "masks/x.png"),
        ("images/x.jpg", "masks/x.jpg.png"),
        ("images/my x.jpg", "masks/my%20x.png"),
        ("images/Tile 1/x.jpg", "masks/tile 1/x.png"),
    ],
)
def test_names_nearly_the_same_are_noted(tmp_path: Path, photo: str, label_map: str) -> None:
    pairs, (note,) = pairs_of(tmp_path, photo, label_map)
    assert pairs == {photo: label_map}
    assert note.endswith(f"{tmp_path / label_map}: its photo is {photo}")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["images/cam2/frame.jpg", "masks/cam1/frame.png"], r"did you mean images/cam2/frame\.jpg"),
        (["images/x.jpg", "images/X.jpg", "masks/x.png", "masks/x.jpg.png"], "photos that do not exist"),
        (["images/scan.jpg", "masks/scan.0.png"], "photos that do not exist"),
        (["images/aB.jpg", "images/Ab.jpg", "masks/ab.png"], "photos that do not exist"),
        ([f"images/{NFC}.jpg", f"images/{NFD}.jpg", f"masks/{NFC}.png"], "do not match one to one"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, files: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        pairs_of(tmp_path, *files)


def test_a_class_in_two_unicode_forms_is_one_class(tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_text(f"{NFC} 0000FF\n{NFD} 0000EE\nroad 00FF00\nRoad FF0000\n", encoding="utf-8")
    classes = read_classes_file(file)
    assert classes.names == (NFC, "road", "Road")
    assert classes.labels == {0x0000FF: 0, 0x0000EE: 0, 0x00FF00: 1, 0xFF0000: 2}
    assert set(classes.spellings) == {NFC, NFD, "road", "Road"}


def test_a_bare_name_in_two_unicode_forms_is_given_twice(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text(f"{NFC}\n{NFD}\n", encoding="utf-8")
    with pytest.raises(LabelError, match="is also at"):
        read_classes_file(tmp_path / "classes.txt")

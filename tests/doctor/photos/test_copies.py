"""Copies are found exactly and nearly, across splits first; groups are reported once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.detection.examine import examine
from boxmask.data.findings import Findings
from boxmask.data.photo_records.examine import examine_photos
from boxmask.data.split_file import read_split_file
from boxmask.doctor.check import check_data
from boxmask.doctor.photos.check import check_photo_records
from boxmask.doctor.photos.split import write_grouped_split

Scene = Callable[..., Image.Image]
Box = tuple[str, int, int, int, int]


def write_voc(root: Path, labels: dict[str, list[Box]]) -> Path:
    """Write photos of 60 × 40 pixels, which are all the same, with their labels."""
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True)
    for stem, boxes in labels.items():
        Image.linear_gradient("L").resize((60, 40)).save(root / "JPEGImages" / f"{stem}.jpg")
        objects = "".join(
            f"<object><name>{name}</name><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax>"
            f"<ymax>{y2}</ymax></bndbox></object>"
            for name, x1, y1, x2, y2 in boxes
        )
        text = f"<annotation><filename>{stem}.jpg</filename>{objects}</annotation>"
        (root / "Annotations" / f"{stem}.xml").write_text(text)
    return root


def details(folder: Path, splits: dict[str, str]) -> dict[str, list[str]]:
    """The details of each kind of finding, for the photos that are named."""
    findings = Findings()
    records = examine_photos(folder, list(splits))
    check_photo_records(records, np.array(list(splits.values()), dtype="<U5"), findings)
    return {kind.id: [finding.detail for finding in findings.of(kind)] for kind in findings.kinds}


@pytest.fixture
def folder(tmp_path: Path, scene: Scene) -> Path:
    """Photos a, b, c; a1 is a copy of a, b1 a smaller one of b, and c1 a flipped one of c."""
    for seed, name in enumerate("abc"):
        scene(seed, (320, 240)).save(tmp_path / f"{name}.png")
    (tmp_path / "a1.png").write_bytes((tmp_path / "a.png").read_bytes())
    scene(1, (320, 240)).resize((160, 120)).save(tmp_path / "b1.jpg")
    scene(2, (320, 240)).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "c1.png")
    return tmp_path


def test_copies_in_one_split_are_notes(folder: Path) -> None:
    names = ["a.png", "a1.png", "b.png", "b1.jpg", "c.png", "c1.png"]
    assert details(folder, dict.fromkeys(names, "train")) == {
        "photo-copies": ["2 photos (the same bytes): train: a.png, a1.png"],
        "photo-near-copies": [
            "2 photos: train: b.png, b1.jpg",
            "2 photos (flipped or rotated): train: c.png, c1.png",
        ],
    }


def test_copies_in_several_splits_are_warnings_and_no_groups(folder: Path) -> None:
    splits = {"a.png": "train", "a1.png": "test", "b.png": "val", "b1.jpg": "train", "c.png": ""}
    assert details(folder, splits) == {
        "photo-copies-across-splits": ["2 photos (the same bytes): train: a.png; test: a1.png"],
        "photo-near-copies-across-splits": ["2 photos: val: b.png; train: b1.jpg"],
    }


def test_photos_in_no_split_are_in_none(folder: Path) -> None:
    assert details(folder, {"a.png": "", "a1.png": "test"}) == {
        "photo-copies": ["2 photos (the same bytes): a.png; test: a1.png"]
    }


def test_groups_across_splits_are_reported_once(tmp_path: Path, scene: Scene) -> None:
    splits = {}
    for seed in range(12):
        name = f"cam{seed % 2}_{seed:02}.jpg"
        scene(seed).save(tmp_path / name)
        splits[name] = "test" if seed == 4 else "train"
    assert details(tmp_path, splits) == {
        "group-across-splits": [
            "6 photos (frames of one video): train: cam0_00.jpg, cam0_02.jpg, cam0_06.jpg, cam0_08.jpg, "
            "cam0_10.jpg; test: cam0_04.jpg"
        ]
    }


# ---------------------------------------------------------------- labels of copies


def findings_of(root: Path) -> dict[str, list[str]]:
    findings = Findings()
    examination = examine(root, findings)
    files = [photo.file for photo in examination.labels.photos]
    records = examine_photos(examination.labels.root, files)
    check_photo_records(records, np.full(len(files), "", dtype="<U5"), findings, examination)
    return {kind.id: [str(finding) for finding in findings.of(kind)] for kind in findings.kinds}


LABELS: dict[str, tuple[list[Box], list[Box]]] = {
    "same": ([("cat", 11, 11, 20, 20)], [("cat", 12, 11, 21, 20)]),
    "class": ([("cat", 11, 11, 20, 20)], [("dog", 11, 11, 20, 20)]),
    "number": ([("cat", 11, 11, 20, 20)], []),
    "place": ([("cat", 11, 11, 20, 20)], [("cat", 31, 11, 40, 20)]),
}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("same", ""),
        ("class", "b.jpg has 1 dog; its copy JPEGImages/a.jpg has 1 cat"),
        ("number", "b.jpg has no object; its copy JPEGImages/a.jpg has 1 cat"),
        ("place", "1 object of JPEGImages/b.jpg lie elsewhere in its copy JPEGImages/a.jpg"),
    ],
)
def test_copies_with_other_labels(tmp_path: Path, case: str, expected: str) -> None:
    first, second = LABELS[case]
    root = write_voc(tmp_path / "voc", {"a": first, "b": second, "c": [("dog", 1, 1, 9, 9)]})
    Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 50).save(root / "JPEGImages" / "c.jpg")
    found = findings_of(root).get("copies-labeled-differently", [])
    assert [expected in text for text in found] == ([True] if expected else [])
    assert all("b.xml" in text for text in found)


TURNED: dict[str, tuple[list[Box], str]] = {
    "same": ([("cat", 222, 21, 300, 80)], ""),
    "empty": ([], "b.png has no object; its flipped or rotated copy JPEGImages/a.png has 1 cat"),
    "place": (
        [("cat", 120, 81, 200, 140)],
        "1 object of JPEGImages/b.png lie elsewhere in its flipped or rotated copy JPEGImages/a.png",
    ),
}


@pytest.mark.parametrize("case", TURNED)
@pytest.mark.parametrize("is_rotated", [False, True])
def test_turned_copies_with_other_labels(tmp_path: Path, scene: Scene, case: str, is_rotated: bool) -> None:
    boxes, expected = TURNED[case]
    turn = Image.Transpose.FLIP_LEFT_RIGHT
    if is_rotated:  # x, y becomes y, 321 - x
        turn = Image.Transpose.ROTATE_90
        boxes = [(name, y1, x1, y2, x2) for name, x1, y1, x2, y2 in boxes]
    root = write_voc(tmp_path, {"a": [("cat", 21, 21, 99, 80)], "b": boxes, "c": [("dog", 1, 1, 9, 9)]})
    photo = scene(3, (320, 240))
    photo.save(root / "JPEGImages" / "a.png")
    photo.transpose(turn).save(root / "JPEGImages" / "b.png")
    scene(4, (320, 240)).save(root / "JPEGImages" / "c.png")
    for stem in "abc":
        (root / "JPEGImages" / f"{stem}.jpg").unlink()
        sheet = root / "Annotations" / f"{stem}.xml"
        sheet.write_text(sheet.read_text().replace(".jpg", ".png"))
    found = findings_of(root).get("copies-labeled-differently", [])
    assert [expected in text for text in found] == ([True] if expected else [])


# ---------------------------------------------------------------- the split that mends it


def test_a_grouped_split_is_written_and_can_be_read(tmp_path: Path, scene: Scene) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(20):
        scene(seed, (60, 40)).save(photos / f"cam{seed % 5}_{seed:02}.jpg")
    records = examine_photos(photos, sorted(file.name for file in photos.iterdir()))
    notes = write_grouped_split(records, tmp_path / "split.json")
    assert notes[-1] == "5 groups of photos kept on one side each"
    splits = read_split_file(tmp_path / "split.json").splits
    assert len(splits) == 20
    assert len({(file.split("_")[0], split) for file, split in splits.items()}) == 5


def test_a_grouped_split_has_the_labeled_photos_and_trains_every_class(tmp_path: Path) -> None:
    labels: dict[str, list[Box]] = {
        f"v{n // 4}_{n}": [("dog" if n < 4 else "cat", 1, 1, 9, 9)] for n in range(40)
    }
    root = write_voc(tmp_path / "voc", labels)
    examination = examine(root, Findings())
    files = [photo.file for photo in examination.labels.photos]
    records = examine_photos(examination.labels.root, [*files, "JPEGImages/unlabeled.jpg"])
    for seed in range(5):
        write_grouped_split(records, root / "split.json", "name", seed, examination)
        splits = read_split_file(root / "split.json").splits
        assert sorted(splits) == sorted(files)
        assert splits["JPEGImages/v0_0.jpg"] == "train"


def test_copies_are_searched_once_for_a_report_and_its_split(
    tmp_path: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_voc(tmp_path / "voc", {name: [("cat", 1, 1, 9, 9)] for name in "abcdef"})
    for seed, name in enumerate("abcdef"):
        scene(seed, (60, 40)).save(root / "JPEGImages" / f"{name}.jpg")
    report = check_data(root)
    monkeypatch.setattr("boxmask.data.groups.group_by.find_copies", lambda _: pytest.fail("searched again"))
    report.write_split(tmp_path / "split.json")
    assert (tmp_path / "split.json").is_file()

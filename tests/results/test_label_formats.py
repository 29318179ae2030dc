"""Detections in YOLO, Pascal VOC and CSV: read back with their scores, and never taken for labels."""

from __future__ import annotations

import csv
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from PIL import Image

from boxmask.data.detection.read import read_detection
from boxmask.data.formats import voc
from boxmask.data.formats.source import find_source
from boxmask.errors import LabelError, OutputError, UsageError
from boxmask.outputs import is_output
from boxmask.outputs.marks import is_marked
from boxmask.results.csv_table import save_detection_table
from boxmask.results.voc import save_voc
from boxmask.results.yolo import save_class_list, save_yolo
from boxmask.types import Detections


def boxes(names: tuple[str, ...] = ("cat", "dog")) -> Detections:
    return Detections(
        torch.tensor([[8.0, 6.5, 40.0, 30.0], [0.0, 0.0, 4.0, 3.0]]),
        torch.tensor([0.9, 0.125]),
        torch.tensor([1, 0]),
        names,
        (60, 80),
    )


# ---------------------------------------------------------------- YOLO


def test_yolo_has_fractions_and_scores(tmp_path: Path) -> None:
    save_yolo(Path("a.jpg"), boxes(), tmp_path / "a.txt")
    first, second = (tmp_path / "a.txt").read_text().splitlines()
    assert first == f"1 0.3 {18.25 / 60} 0.4 {23.5 / 60} 0.9"
    assert second.split()[0] == "0"
    assert second.split()[-1] == "0.125"


def test_masks_become_polygons(tmp_path: Path, masked_detections: Detections) -> None:
    save_yolo(Path("a.jpg"), masked_detections, tmp_path / "a.txt")
    lines = [line.split() for line in (tmp_path / "a.txt").read_text().splitlines()]
    assert [len(line) == 6 for line in lines] == [False, False, True, False]  # the third has no mask
    assert all(len(line) % 2 == 0 for line in lines), "class, pairs, score"
    assert [float(line[-1]) for line in lines] == pytest.approx(masked_detections.scores.tolist())


def test_yolo_files_are_no_labels_elsewhere(tmp_path: Path) -> None:
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    save_yolo(Path("a.png"), boxes(), tmp_path / "out" / "a.txt")
    save_class_list(["cat", "dog"], tmp_path / "out" / "classes.txt")
    for name in ("a.txt", "classes.txt"):
        shutil.copy(tmp_path / "out" / name, tmp_path / name)
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(LabelError, match="6 numbers: a class, a box and a confidence, as predictions have"):
        read_detection(tmp_path)
    lines = (tmp_path / "a.txt").read_text().splitlines()
    (tmp_path / "a.txt").write_text("".join(line.rpartition(" ")[0] + "\n" for line in lines))
    dataset = read_detection(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    assert sorted(dataset.boxes.tolist()) == [pytest.approx(box) for box in sorted(boxes().boxes.tolist())]


@pytest.mark.parametrize("name", ["two\nlines", " cat", "cat "])
def test_names_that_need_several_lines_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"classes\.txt: the class name .* cannot be written"):
        save_class_list(["dog", name], tmp_path / "classes.txt")


# ---------------------------------------------------------------- Pascal VOC


def test_voc_has_scores_and_counts_pixels_from_1(tmp_path: Path) -> None:
    save_voc(Path("photos/a.jpg"), boxes(), tmp_path / "a.xml")
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert [root.findtext(tag) for tag in ("folder", "filename", "size/width")] == ["photos", "a.jpg", "80"]
    assert [found.findtext("name") for found in root.iter("object")] == ["dog", "cat"]
    assert [found.findtext("score") for found in root.iter("object")] == ["0.9", "0.125"]
    corners = [root.findtext(f"object/bndbox/{tag}") for tag in ("xmin", "ymin", "xmax", "ymax")]
    assert corners == ["9", "7.5", "40", "30"]


def test_voc_files_are_results_until_they_are_corrected(tmp_path: Path) -> None:
    Image.new("RGB", (80, 60)).save(tmp_path / "a.jpg")
    save_voc(Path("a.jpg"), boxes(), tmp_path / "out" / "a.xml")
    copy = Path(shutil.copy(tmp_path / "out" / "a.xml", tmp_path / "a.xml"))
    assert is_marked(copy)
    assert is_output(copy)
    copy.write_bytes(copy.read_bytes().replace(b"\n", b"\r\n"))
    assert is_marked(copy), "the ends of lines do not count"
    assert voc.recognize(find_source(tmp_path)) == []
    copy.write_text(copy.read_text().replace("dog", "cow"))
    assert not is_marked(copy)
    dataset = read_detection(tmp_path)
    assert dataset.class_names == ("cat", "cow")
    assert sorted(dataset.boxes.tolist()) == [pytest.approx(box) for box in sorted(boxes().boxes.tolist())]


def test_an_xml_file_of_another_encoding_is_not_marked(tmp_path: Path) -> None:
    save_voc(Path("a.jpg"), boxes(), tmp_path / "a.xml")
    (tmp_path / "a.xml").write_bytes((tmp_path / "a.xml").read_bytes() + b"\xff")
    assert not is_marked(tmp_path / "a.xml")


def test_names_that_xml_cannot_hold_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written: .* which XML cannot hold"):
        save_voc(Path("a.jpg"), boxes(("cat", "do\x07g")), tmp_path / "a.xml")
    assert not (tmp_path / "a.xml").exists()


# ---------------------------------------------------------------- CSV


def test_the_table_has_all_photos_and_scores(tmp_path: Path) -> None:
    nothing = boxes()[torch.zeros(0, dtype=torch.int64)]
    photos = [Path("photos/a.jpg"), Path("b.jpg"), Path("c, d.jpg")]
    save_detection_table(photos, [boxes(), nothing, boxes()[:1]], tmp_path / "detections.csv")
    with (tmp_path / "detections.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == ["photos/a.jpg", "photos/a.jpg", "c, d.jpg"]
    assert list(rows[0].values())[1:] == ["80", "60", "dog", "8", "6.5", "40", "30", "0.9"]


def test_a_table_with_scores_is_no_table_of_labels(tmp_path: Path) -> None:
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    save_detection_table([Path("a.png")], [boxes()], tmp_path / "out" / "detections.csv")
    table = Path(shutil.copy(tmp_path / "out" / "detections.csv", tmp_path / "labels.csv"))
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(LabelError, match=r"labels\.csv: its rows have scores, so it holds predictions"):
        read_detection(tmp_path)
    lines = table.read_text().splitlines()
    table.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    dataset = read_detection(tmp_path)
    assert sorted(dataset.boxes.tolist()) == [pytest.approx(box) for box in sorted(boxes().boxes.tolist())]

"""CSV tables of TensorFlow, Open Images and RetinaNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import csv_tables
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.errors import LabelError

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
CAT = "a.jpg,60,40,cat,1,2,11.5,22\n"
OPEN_IMAGES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
Read = Callable[..., tuple[Labels, Findings]]


@pytest.fixture
def write(tmp_path: Path, save_photo: Callable[[Path], None]) -> Callable[[Mapping[str, str | bytes]], Path]:
    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() == ".jpg":
                save_photo(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


@pytest.fixture
def read(write: Callable[..., Path]) -> Read:
    def read(files: Mapping[str, str | bytes], photos: str = "a.jpg b.jpg") -> tuple[Labels, Findings]:
        source = find_source(
            write(dict.fromkeys((f"images/{name}" for name in photos.split()), "") | dict(files))
        )
        label_files = csv_tables.recognize(source)
        assert label_files
        findings = Findings()
        return csv_tables.read(source, label_files, findings), findings

    return read


def ids(findings: Findings) -> list[str]:
    return [finding.kind.id for finding in findings]


def names(labels: Labels) -> list[str]:
    return [labels.class_names[label] for label in labels.labels.tolist()]


# ---------------------------------------------------------------- TensorFlow


def test_tensorflow(read: Read) -> None:
    labels, findings = read(
        {"train_labels.csv": HEADER + CAT + "a.jpg,60,40,dog,0,0,60,40\nb.jpg,60,40,cat,5,5,6,6\n"}
    )
    assert not len(findings)
    assert labels.unit == "pixel"
    assert labels.boxes.tolist() == [[1, 2, 11.5, 22], [0, 0, 60, 40], [5, 5, 6, 6]]
    assert labels.extents[0].tolist() == [10.5, 20]
    assert names(labels) == ["cat", "dog", "cat"]
    assert [(photo.file, photo.split, photo.declared_size) for photo in labels.photos] == [
        ("images/a.jpg", "train", (40, 60)),
        ("images/b.jpg", "train", (40, 60)),
    ]
    assert [labels.location(row).line for row in range(3)] == [2, 3, 4]


HEADERS = {
    "as TensorFlow's": HEADER + CAT,
    "semicolons and decimal commas": (HEADER + CAT).replace(",", ";").replace("11.5", "11,5"),
    "tabs": (HEADER + CAT).replace(",", "\t"),
    "byte order mark": "\ufeff" + HEADER + CAT,
    "Windows": (HEADER + CAT).replace("\n", "\r\n"),
    "quoted": '"filename","class","xmin","ymin","xmax","ymax"\n"a.jpg","cat","1","2","11.5","22"\n',
    "other columns": "id,x_min,y_min,x_max,y_max,Label,Image Path\n7,1,2,11.5,22,cat,a.jpg\n",
    "x1": "image,x1,y1,x2,y2,label\na.jpg,1,2,11.5,22,cat\n",
    "empty lines": "\n" + HEADER + "\n" + CAT + "\n,,,,,,,\n",
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=list(HEADERS))
def test_forms_of_tables(read: Read, text: str) -> None:
    labels, findings = read({"labels.csv": text})
    assert not len(findings)
    assert labels.boxes.tolist() == [[1, 2, 11.5, 22]]
    assert names(labels) == ["cat"]


def test_names_with_delimiters_and_line_breaks(read: Read) -> None:
    text = HEADER + '"a.jpg",60,40,"big, ""red""\ncat",1,2,3,4\nb.jpg,60,40,dog,1,2,3,4\n'
    labels, findings = read({"labels.csv": text})
    assert not len(findings)
    assert names(labels) == ['big, "red"\ncat', "dog"]
    assert [labels.location(row).line for row in range(2)] == [2, 4]


UNREADABLE = {
    "a.jpg,60,40,cat,1,2,3": "expected at least 8 fields, found 7",
    "a.jpg,60,40,cat,1,2,x,4": 'expected numbers as corners, found "x"',
    "a.jpg,60,40,cat,1,2,1_0,4": 'expected numbers as corners, found "1_0"',
    "a.jpg,60,40,cat,1,2,,4": 'expected numbers as corners, found ""',
    "a.jpg,60,40,,1,2,3,4": "expected the name of a class",
    ",60,40,cat,1,2,3,4": "expected the name of a photo",
}


@pytest.mark.parametrize(("row", "expected"), UNREADABLE.items())
def test_rows_that_cannot_be_read(read: Read, row: str, expected: str) -> None:
    labels, findings = read({"labels.csv": HEADER + CAT + row + "\n" + CAT})
    (finding,) = findings
    assert finding.kind.id == "entry-unreadable"
    assert expected in finding.detail
    assert finding.location.line == 3
    assert len(labels.boxes) == 2


def test_a_photo_that_does_not_exist(read: Read) -> None:
    labels, _ = read({"labels.csv": HEADER + CAT + CAT.replace("a.jpg", "../../etc/x.jpg")})
    missing = labels.photos[1]
    assert (missing.file, missing.missing_name) == ("etc/x.jpg", "../../etc/x.jpg")
    assert missing.location.line == 3


def test_a_photo_in_two_splits(read: Read) -> None:
    labels, findings = read({"train.csv": HEADER + CAT, "test.csv": HEADER + CAT})
    assert ids(findings) == ["split-overlap"]
    assert [photo.split for photo in labels.photos] == ["test"]


def test_an_overview_is_left_out(read: Read) -> None:
    b = CAT.replace("a.jpg", "b.jpg")
    tables = {"labels.csv": HEADER + CAT + b, "train.csv": HEADER + CAT, "test.csv": HEADER + b}
    labels, findings = read(tables)
    assert [photo.split for photo in labels.photos] == ["test", "train"]
    assert ids(findings) == ["file-unused"]


def test_a_photo_without_objects(read: Read) -> None:
    labels, findings = read({"labels.csv": HEADER + CAT + "b.jpg,60,40,,,,,\n"})
    assert not len(findings)
    assert [photo.file for photo in labels.photos] == ["images/a.jpg", "images/b.jpg"]
    assert len(labels.boxes) == 1


# ---------------------------------------------------------------- Open Images


def test_open_images(read: Read) -> None:
    rows = "a,xclick,/m/01yrx,1,0.1,0.5,0.2,0.8,1,0,0,0,0\nb,xclick,/m/0bt9lr,1,0,1,0,1,0,1,1,-1,-1\n"
    files = {"class-descriptions-boxable.csv": "/m/01yrx,Cat\n/m/0bt9lr,Dog\n"}
    labels, findings = read(files | {"validation-annotations-bbox.csv": OPEN_IMAGES + rows})
    assert not len(findings)
    assert labels.unit == "fraction"
    assert labels.boxes.tolist() == [[0.1, 0.2, 0.5, 0.8], [0, 0, 1, 1]]
    assert names(labels) == ["Cat", "Dog"]
    assert labels.crowd.tolist() == [False, True]
    assert labels.attributes.objects == {0: {"occluded": True}, 1: {"truncated": True}}
    assert [(photo.file, photo.split) for photo in labels.photos] == [
        ("images/a.jpg", "val"),
        ("images/b.jpg", "val"),
    ]
    assert "class-descriptions-boxable.csv" in labels.other_files


def test_descriptions_with_a_header_and_codes_without_a_name(read: Read) -> None:
    rows = "a,xclick,/m/01yrx,1,0.1,0.5,0.2,0.8,1,0,0,0,0\nb,xclick,/m/0bt9lr,1,0,1,0,1,0,1,1,-1,-1\n"
    files = {"oidv7-class-descriptions.csv": "LabelName,DisplayName\n/m/01yrx,Cat\n"}
    labels, _ = read(files | {"annotations.csv": OPEN_IMAGES + rows})
    assert names(labels) == ["Cat", "/m/0bt9lr"]


def test_fractions_beside_pixels_are_refused(write: Callable[..., Path]) -> None:
    root = write(
        {"a.jpg": "", "a.csv": HEADER + CAT, "b.csv": OPEN_IMAGES + "a,x,/m/1,1,0,1,0,1,0,0,0,0,0\n"}
    )
    with pytest.raises(LabelError, match="Give the files of one kind"):
        read_detection(root)


# ---------------------------------------------------------------- RetinaNet


def test_retinanet(read: Read) -> None:
    rows = "images/a.jpg,1,2,11,22,dog\nimages/a.jpg,0,0,5,5,cat\nimages/b.jpg,,,,,\n"
    labels, findings = read({"annotations.csv": rows, "classes.csv": "dog,0\ncat,1\ncow,2\n"})
    assert not len(findings)
    assert labels.class_names == ("dog", "cat", "cow")
    assert names(labels) == ["dog", "cat"]
    assert labels.boxes[0].tolist() == [1, 2, 11, 22]
    assert [photo.file for photo in labels.photos] == ["images/a.jpg", "images/b.jpg"]
    assert labels.location(1).line == 2


def test_retinanet_may_begin_with_a_photo_without_objects(read: Read) -> None:
    labels, _ = read({"annotations.csv": "images/b.jpg,,,,,\nimages/a.jpg,1,2,11,22,dog\n"})
    assert names(labels) == ["dog"]


# ---------------------------------------------------------------- what is no table of labels


@pytest.mark.parametrize(
    "text",
    [
        "file,license\na.jpg,CC-BY\n",
        "",
        "a,b,c\n1,2,3\n",
        "filename,class\na.jpg,cat\n",
        "a.jpg,1,2,1,4,5\n",
        "a.jpg,0.1,0.2,0.3,0.4,0.5\n",
        "\x00\x01\x02",
        '"' * 100,
    ],
)
def test_other_tables_are_not_claimed(write: Callable[..., Path], text: str) -> None:
    assert csv_tables.recognize(find_source(write({"a.jpg": "", "x.csv": text}))) == []


def test_tables_beside_other_labels_are_left_out(write_voc: Callable[..., Path]) -> None:
    root = write_voc({"a": [("cat", 1, 1, 10, 20)]})
    (root / "labels.csv").write_text(HEADER + CAT)
    dataset = read_detection(root)
    assert dataset.boxes.tolist() == [[0, 0, 10, 20]]
    assert any("labels.csv: a table of labels" in note for note in dataset.notes)


def test_read_detection(write: Callable[..., Path]) -> None:
    dataset = read_detection(write({"images/a.jpg": "", "labels.csv": HEADER + CAT}))
    assert np.allclose(dataset.boxes, [[1, 2, 11.5, 22]])

"""YOLO labels in every layout in use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from boxmask.data.class_names import CLASS_NAME_SPELLINGS
from boxmask.data.detection.read import read_detection
from boxmask.data.findings import Findings
from boxmask.data.formats import yolo
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import find_source
from boxmask.data.outlines import Polygons
from boxmask.errors import LabelError

BOX = "0 0.5 0.5 0.5 0.25\n"
YAML = "train: images/train\nval: images/val\nnames: [cat, dog]\n"
Read = Callable[..., tuple[Labels, Findings]]


@pytest.fixture
def write(tmp_path: Path, save_photo: Callable[[Path], None]) -> Callable[[Mapping[str, str | bytes]], Path]:
    """Write files; photos need no content. Gives the root."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in (".jpg", ".png"):
                save_photo(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content)
        return tmp_path

    return write


@pytest.fixture
def read(write: Callable[[Mapping[str, str | bytes]], Path]) -> Read:
    def read(files: Mapping[str, str | bytes], chosen: str = "") -> tuple[Labels, Findings]:
        source = find_source(write(files) / chosen)
        label_files = yolo.recognize(source)
        assert label_files
        findings = Findings()
        return yolo.read(source, label_files, findings), findings

    return read


def photos(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


def counts(labels: Labels) -> dict[str, int]:
    """Objects by photo."""
    found = Counter(labels.photos[photo].file for photo in labels.photo_of.tolist())
    return {photo.file: found[photo.file] for photo in labels.photos}


def splits(labels: Labels) -> dict[str, str | None]:
    return {photo.file: photo.split for photo in labels.photos}


def ids(findings: Findings) -> list[str]:
    return [finding.kind.id for finding in findings]


# ---------------------------------------------------------------- layouts

LAYOUTS = {
    "images/train + labels/train": ("images/train/a.jpg", "labels/train/a.txt"),
    "train/images + train/labels": ("train/images/a.jpg", "train/labels/a.txt"),
    "images + labels": ("images/a.jpg", "labels/a.txt"),
    "txt beside the photo": ("train/a.jpg", "train/a.txt"),
    "flat": ("a.jpg", "a.txt"),
    "labels inside": ("a.jpg", "labels/a.txt"),
    "labels inside the split": ("train/a.jpg", "train/labels/a.txt"),
    "JPEGImages": ("JPEGImages/a.jpg", "labels/a.txt"),
    "photos beside": ("photos/a.jpg", "labels/a.txt"),
    "subfolders": ("images/train/cam1/a.jpg", "labels/train/cam1/a.txt"),
    "in capitals": ("Images/Train/a.jpg", "Labels/Train/a.txt"),
    "dots and spaces": ("images/my photo.v1.2.jpg", "labels/my photo.v1.2.txt"),
    "letters beyond ASCII": ("images/사진.jpg", "labels/사진.txt"),
    "images in a folder of its name": ("images/images/a.jpg", "images/labels/a.txt"),
}


@pytest.mark.parametrize(("photo", "label"), LAYOUTS.values(), ids=list(LAYOUTS))
def test_layouts_without_a_description(read: Read, photo: str, label: str) -> None:
    labels, findings = read({photo: "", label: BOX, "classes.txt": "cat\ndog\n"})
    assert counts(labels) == {photo: 1}
    assert labels.class_names == ("cat", "dog")
    assert not len(findings)
    assert labels.photos[0].split == ("train" if "train" in photo.lower() else None)


PATHS = {
    "relative": "train: images/train\nval: images/val\n",
    "path is the folder of the file": "path: .\ntrain: images/train\nval: images/val\n",
    "path from the parent, as exports write it": "path: data\ntrain: images/train\nval: images/val\n",
    "path from elsewhere": "path: ../datasets/data\ntrain: images/train\nval: images/val\n",
    "absolute path on another machine": "path: /home/me/data\ntrain: images/train\nval: images/val\n",
    "absolute folders": "train: /content/data/images/train\nval: C:\\data\\images\\val\n",
    "up and down, as Roboflow writes it": "train: ../images/train\nval: ../images/val\n",
    "with a dot": "train: ./images/train/\nval: ./images/val/\n",
    "in a list": "train:\n  - images/train\nval: [images/val]\n",
    "valid": "train: images/train\nvalid: images/val\n",
}


@pytest.mark.parametrize("paths", PATHS.values(), ids=list(PATHS))
def test_paths_in_data_yaml(read: Read, paths: str) -> None:
    files = photos("images/train/a.jpg", "images/val/b.jpg") | {
        "labels/train/a.txt": BOX,
        "labels/val/b.txt": BOX,
    }
    labels, findings = read(files | {"data.yaml": paths + "nc: 2\nnames: ['cat', 'dog']\n"})
    assert splits(labels) == {"images/train/a.jpg": "train", "images/val/b.jpg": "val"}
    assert counts(labels) == {"images/train/a.jpg": 1, "images/val/b.jpg": 1}
    assert not len(findings)


def test_roboflow(read: Read) -> None:
    """Roboflow names ../test/images, whether or not there is such a folder."""
    yaml = (
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n"
    )
    files = photos("train/images/a.jpg", "valid/images/b.jpg")
    files |= {"train/labels/a.txt": BOX, "valid/labels/b.txt": BOX, "data.yaml": yaml}
    labels, findings = read(files | {"README.dataset.txt": "text", "README.roboflow.txt": "text"})
    assert splits(labels) == {"train/images/a.jpg": "train", "valid/images/b.jpg": "val"}
    (finding,) = findings
    assert finding.kind.id == "split-missing"
    assert str(finding).endswith("data.yaml:3: test: ../test/images: no such folder")


def test_a_split_that_is_missing_does_not_become_another_folder(read: Read) -> None:
    yaml = "train: train/images\nval: valid/images\nnames: [cat]\n"
    labels, findings = read(
        photos("train/images/a.jpg", "images/x.jpg") | {"train/labels/a.txt": BOX, "data.yaml": yaml}
    )
    assert splits(labels) == {"train/images/a.jpg": "train"}
    assert ids(findings) == ["split-missing"]


def test_several_folders_per_split(read: Read) -> None:
    yaml = "train: [one/images, two/images]\nval: three/images\nnames: {0: cat, 1: dog}\n"
    files = photos("one/images/a.jpg", "two/images/b.jpg", "three/images/c.jpg", "four/images/d.jpg")
    labels = {
        f"{folder}/labels/{name}.txt": BOX for folder, name in [("one", "a"), ("two", "b"), ("three", "c")]
    }
    found, findings = read(files | labels | {"data.yaml": yaml, "four/labels/d.txt": BOX})
    assert splits(found) == {
        "one/images/a.jpg": "train",
        "two/images/b.jpg": "train",
        "three/images/c.jpg": "val",
    }
    (finding,) = findings
    assert finding.kind.id == "split-unnamed"
    advice = "to use them, add four/images to train, val or test"
    assert finding.detail == f"four/images: 1 photo with labels in no split; {advice}"


@pytest.mark.parametrize(
    ("paths", "folder", "advice"),
    [
        ("train: images/train\n", "images/test", "add the line test: images/test"),
        ("path: .\ntrain: images/train/\n", "images/val", "add the line val: images/val"),
        ("path: /data/set\ntrain: images/train\n", "images/test", "add the line test: images/test"),
        ("path: ../set\ntrain: ../images/train\n", "images/test", "add the line test: ../images/test"),
        ("train: images/train\n", "images/train2", "add images/train2 to train"),
    ],
)
def test_a_folder_that_no_split_names(read: Read, paths: str, folder: str, advice: str) -> None:
    files = photos("images/train/a.jpg", f"{folder}/b.jpg", f"{folder}/c.jpg") | {"labels/train/a.txt": BOX}
    lost = folder.replace("images", "labels")
    files |= {f"{lost}/b.txt": BOX, f"{lost}/c.txt": f"{BOX}\n{BOX}", f"{lost}/notes.txt": "words"}
    labels, findings = read(files | {"data.yaml": f"{paths}names: [cat, dog]\n"})
    assert counts(labels) == {"images/train/a.jpg": 1}
    found = {finding.kind.id: finding for finding in findings}
    assert list(found) == ["split-unnamed", "file-unused"]
    assert found["file-unused"].location.file.endswith("notes.txt")
    unnamed = found["split-unnamed"]
    assert unnamed.detail == f"{folder}: 2 photos with labels in no split; to use them, {advice}"
    assert (unnamed.location.shown_file.endswith("data.yaml"), unnamed.num_left_out) == (True, 3)


LISTS = {
    "relative to the list": "./images/a.jpg\n",
    "relative to the root": "images/a.jpg\n\n",
    "CVAT's prefix": "data/images/a.jpg\n",
    "absolute on another machine": "/home/me/data/images/a.jpg\r\n",
    "Windows": "D:\\data\\images\\a.jpg\n",
}


@pytest.mark.parametrize("lines", LISTS.values(), ids=list(LISTS))
def test_lists_of_photos(read: Read, lines: str) -> None:
    files = photos("images/a.jpg", "images/b.jpg") | {"labels/a.txt": BOX, "labels/b.txt": BOX}
    lists = {"train.txt": lines, "val.txt": lines.replace("a.jpg", "b.jpg")}
    yaml = {"data.yaml": "path: .\ntrain: train.txt\nval: val.txt\nnames: {0: cat}\n"}
    for labels, findings in (read(files | lists | yaml), read(files | lists | {"classes.txt": "cat\n"})):
        assert splits(labels) == {"images/a.jpg": "train", "images/b.jpg": "val"}
        assert counts(labels) == {"images/a.jpg": 1, "images/b.jpg": 1}
        assert not len(findings)


def test_photos_in_no_list_are_in_no_split(read: Read) -> None:
    files = photos("images/a.jpg", "images/b.jpg") | {"labels/a.txt": BOX, "labels/b.txt": BOX}
    labels, _ = read(files | {"data.yaml": "train: train.txt\nnames: [cat]\n", "train.txt": "images/a.jpg\n"})
    assert splits(labels) == {"images/a.jpg": "train", "images/b.jpg": None}


def test_cvat_yolo_1_1(read: Read) -> None:
    files = {
        "obj.data": "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\n"
        "names = data/obj.names\nbackup = b/\n",
        "obj.names": "cat\ndog\n",
        "train.txt": "data/obj_train_data/a.jpg\n",
        "valid.txt": "data/obj_valid_data/b.jpg\n",
        "obj_train_data/a.txt": BOX,
        "obj_valid_data/b.txt": "1 0.5 0.5 1 1\n",
    }
    labels, findings = read(files | photos("obj_train_data/a.jpg", "obj_valid_data/b.jpg"))
    assert splits(labels) == {"obj_train_data/a.jpg": "train", "obj_valid_data/b.jpg": "val"}
    assert labels.labels.tolist() == [0, 1]
    assert labels.class_names == ("cat", "dog")
    assert not len(findings)


def test_roboflow_darknet_has_names_in_each_folder(read: Read) -> None:
    files = photos("train/a.jpg", "valid/b.jpg") | {"train/a.txt": BOX, "valid/b.txt": BOX}
    names = {"train/_darknet.labels": "cat\ndog\n", "valid/_darknet.labels": "cat\ndog\n"}
    labels, findings = read(files | names)
    assert splits(labels) == {"train/a.jpg": "train", "valid/b.jpg": "val"}
    assert labels.class_names == ("cat", "dog")
    assert not len(findings)


def test_names_hold_for_their_folder(read: Read) -> None:
    """labelImg writes a classes.txt into each folder, in the order in which the classes were drawn."""
    files = photos("one/a.jpg", "two/b.jpg") | {"one/a.txt": BOX, "two/b.txt": BOX}
    labels, findings = read(files | {"one/classes.txt": "cat\ndog\n", "two/classes.txt": "dog\ncat\n"})
    assert [labels.class_names[label] for label in labels.labels.tolist()] == ["cat", "dog"]
    assert not len(findings)


def test_a_chosen_data_yaml_or_folder_of_labels(read: Read) -> None:
    files = photos("images/train/a.jpg", "images/val/b.jpg") | {"labels/train/a.txt": BOX, "data.yaml": YAML}
    for chosen in ("data.yaml", "labels", ""):
        labels, _ = read(files, chosen)
        assert splits(labels) == {"images/train/a.jpg": "train", "images/val/b.jpg": "val"}


def test_one_chosen_label_file(read: Read) -> None:
    files = photos("a.jpg", "b.jpg") | {"a.txt": BOX, "b.txt": BOX, "classes.txt": "cat"}
    labels, findings = read(files, "a.txt")
    assert counts(labels) == {"a.jpg": 1}
    assert not len(findings)


def test_data_yaml_apart_from_its_photos(write: Callable[..., Path]) -> None:
    root = write(
        photos("data/images/a.jpg") | {"data/labels/a.txt": BOX, "yaml/data.yaml": "path: ../data\n" + YAML}
    )
    with pytest.raises(LabelError, match="no label files in the folder of this file") as error:
        read_detection(root / "yaml" / "data.yaml")
    assert "Give the folder that holds both" in str(error.value)


def test_data_yaml_in_a_folder_of_its_own(read: Read) -> None:
    yaml = "path: ../data\ntrain: images/train\nval: images/val\nnames: [cat]\n"
    files = photos("data/images/train/a.jpg", "data/images/val/b.jpg") | {"data/labels/train/a.txt": BOX}
    labels, _ = read(files | {"yaml/data.yaml": yaml})
    assert splits(labels) == {"data/images/train/a.jpg": "train", "data/images/val/b.jpg": "val"}


def test_several_data_sets(write: Callable[..., Path]) -> None:
    one = photos("one/images/a.jpg") | {
        "one/labels/a.txt": BOX,
        "one/data.yaml": "train: images\nnames: [a]\n",
    }
    two = photos("two/images/a.jpg") | {
        "two/labels/a.txt": BOX,
        "two/data.yaml": "train: images\nnames: [b]\n",
    }
    with pytest.raises(LabelError, match="several data sets"):
        read_detection(write(one | two))


def test_other_yaml_files_are_not_used(read: Read) -> None:
    files = photos("images/train/a.jpg", "images/val/b.jpg") | {"labels/train/a.txt": BOX, "data.yaml": YAML}
    labels, findings = read(files | {"old.yaml": YAML.replace("dog", "cow"), "hyp.yaml": "lr0: 0.01\n"})
    assert labels.class_names == ("cat", "dog")
    assert [str(finding.location) for finding in findings if finding.kind.id == "file-unused"] == [
        str(labels.root / "old.yaml")
    ]


@pytest.mark.parametrize("path", ["../../etc", "/etc", "../../../../etc/passwd.txt", "/etc/hostname.txt"])
def test_no_path_leads_outside(read: Read, path: str) -> None:
    files = photos("images/train/a.jpg") | {
        "labels/train/a.txt": BOX,
        "list.txt": "/etc/passwd\n../../x.jpg\n",
    }
    yaml = f"train: [images/train, {path}, list.txt]\nnames: [cat]\n"
    labels, findings = read(files | {"data.yaml": yaml})
    assert ids(findings) == ["split-missing"]
    assert [photo.file for photo in labels.photos] == ["images/train/a.jpg", "etc/passwd", "x.jpg"]
    assert [photo.missing_name for photo in labels.photos] == ["", "/etc/passwd", "../../x.jpg"]


# ---------------------------------------------------------------- photos and label files


def test_photos_without_a_label_file_show_no_object(read: Read) -> None:
    files = photos("images/train/a.jpg", "images/train/b.jpg", "images/val/c.jpg")
    labels, findings = read(files | {"labels/train/a.txt": BOX, "labels/train/b.txt": "", "data.yaml": YAML})
    assert counts(labels) == {"images/train/a.jpg": 1, "images/train/b.jpg": 0, "images/val/c.jpg": 0}
    (finding,) = findings
    assert finding.kind.id == "photo-without-label"
    assert finding.photo == "images/val/c.jpg"


def test_a_label_file_without_a_photo(read: Read) -> None:
    files = photos("images/a.jpg") | {"labels/a.txt": BOX, "labels/b.txt": BOX, "classes.txt": "cat"}
    labels, _ = read(files)
    (missing,) = [photo for photo in labels.photos if photo.missing_name]
    assert missing.missing_name == "b"
    assert str(missing.location) == str(labels.root / "labels/b.txt")


def test_labels_of_a_split_whose_photos_do_not_exist(read: Read) -> None:
    files = photos("images/train/a.jpg") | {
        "labels/train/a.txt": BOX,
        "labels/val/b.txt": BOX,
        "data.yaml": YAML,
    }
    labels, findings = read(files)
    assert [photo.missing_name for photo in labels.photos] == ["", "b"]
    assert ids(findings) == ["split-missing"]


def test_a_listed_photo_that_does_not_exist(read: Read) -> None:
    files = photos("images/a.jpg") | {"labels/a.txt": BOX, "labels/b.txt": BOX, "classes.txt": "cat"}
    labels, _ = read(files | {"train.txt": "images/a.jpg\nimages/b.jpg\n"})
    assert [(photo.missing_name, photo.split) for photo in labels.photos] == [
        ("", "train"),
        ("images/b.jpg", "train"),
    ]
    assert str(labels.photos[1].location) == f"{labels.root / 'train.txt'}:2"
    assert labels.photo_of.tolist() == [0, 1]


def test_a_label_file_under_several_photos(read: Read) -> None:
    files = photos("images/a.jpg", "images/a.png", "images/b.jpg") | {
        "labels/a.txt": BOX,
        "labels/b.txt": BOX,
    }
    labels, findings = read(files | {"classes.txt": "cat"})
    assert counts(labels) == {"images/a.jpg": 1, "images/b.jpg": 1}
    (finding,) = findings
    assert finding.kind.id == "label-file-shared"
    assert finding.related == ("images/a.png",)


def test_names_that_are_spelled_otherwise(read: Read) -> None:
    files = photos("images/a.jpg", "images/B.jpg") | {"labels/a.txt": BOX, "labels/b.txt": BOX}
    labels, findings = read(files | {"classes.txt": "cat"})
    assert counts(labels) == {"images/B.jpg": 1, "images/a.jpg": 1}
    assert ids(findings) == ["name-inexact"]


def test_predictions_beside_a_data_set_are_not_used(read: Read) -> None:
    files = photos("images/a.jpg") | {
        "labels/a.txt": BOX,
        "runs/detect/predict/labels/a.txt": "0 .5 .5 1 1 0.9\n",
    }
    labels, findings = read(files | {"data.yaml": "train: images\nnames: [cat]\n"})
    assert counts(labels) == {"images/a.jpg": 1}
    assert ids(findings) == ["file-unused"]


def test_a_folder_in_two_splits(read: Read) -> None:
    files = photos("images/a.jpg", "images/b.jpg") | {"labels/a.txt": BOX}
    labels, findings = read(files | {"data.yaml": "train: images\nval: images\nnames: [cat]\n"})
    assert set(splits(labels).values()) == {"train"}
    (finding,) = findings.of(next(kind for kind in findings.kinds if kind.id == "split-overlap"))
    assert str(finding).endswith("data.yaml:2: val: images (2 photos) is in val and train")


def test_a_photo_in_two_lists(read: Read) -> None:
    files = photos("images/a.jpg", "images/b.jpg") | {
        "labels/a.txt": BOX,
        "labels/b.txt": BOX,
        "classes.txt": "cat",
    }
    _, findings = read(files | {"train.txt": "images/a.jpg\nimages/b.jpg\n", "val.txt": "images/b.jpg\n"})
    (finding,) = findings
    assert finding.kind.id == "split-overlap"
    assert (finding.location.line, finding.photo) == (1, "images/b.jpg")


# ---------------------------------------------------------------- what is no YOLO data set


@pytest.mark.parametrize(
    "files",
    [
        {"a.jpg": "", "a.txt": "some words\n"},
        {"a.jpg": "", "notes.txt": "1 2 3\n"},
        {"a.jpg": "", "a.txt": "Car 0.00 0 1.5 100 100 200 200 1 1 1 1 1 1 0\n"},
        {"a.jpg": "", "classes.txt": "cat\n", "data.yaml": YAML},
        {"a.jpg": "", "a.txt": ""},
    ],
)
def test_other_texts_are_not_claimed(write: Callable[..., Path], files: dict[str, str]) -> None:
    assert yolo.recognize(find_source(write(files))) == []


# ---------------------------------------------------------------- lines


def read_lines(read: Read, text: str | bytes, yaml: str = "names: [cat, dog]\n") -> tuple[Labels, Findings]:
    files = photos("a.jpg", "b.jpg") | {"a.txt": text, "b.txt": BOX, "data.yaml": f"train: .\n{yaml}"}
    return read(files)


def test_boxes_and_polygons_in_one_file(read: Read) -> None:
    labels, findings = read_lines(
        read, "0 0.5 0.5 0.5 0.25\n\n1 0.1 0.2 0.4 0.2 0.4 0.6\n1.0 0 0 1 0 1 1 0 1\n"
    )
    assert not len(findings)
    assert labels.unit == "fraction"
    assert labels.labels.tolist() == [0, 1, 1, 0]
    assert labels.boxes[:3].tolist() == [[0.25, 0.375, 0.75, 0.625], [0.1, 0.2, 0.4, 0.6], [0, 0, 1, 1]]
    assert labels.outline is not None
    outlines = [labels.outline(row) for row in range(4)]
    assert outlines[0] is None
    assert isinstance(outlines[1], Polygons)
    assert outlines[1].parts[0].tolist() == [[0.1, 0.2], [0.4, 0.2], [0.4, 0.6]]
    assert isinstance(outlines[2], Polygons)
    assert len(outlines[2].parts[0]) == 4
    assert [labels.location(row).line for row in range(4)] == [1, 3, 4, 1]


UNREADABLE = {
    "0 0.5 0.5 0.5": ("entry-unreadable", "4 numbers; expected a class, and x, y, width and height"),
    "0 0.5 0.5 0.5 0.5 0.9": ("entry-unreadable", "as predictions have"),
    "0 0.5 0.5 0.5 0.5 0.1 0.1 2": ("shape-unsupported", "1 keypoints"),
    "0 " + "0.5 " * 55: ("shape-unsupported", "add kpt_shape: [17, 3] to data.yaml"),
    "0 " + "0.5 " * 9: ("entry-unreadable", "an odd number of coordinates (9)"),
    "cat 0.5 0.5 0.5 0.5": ("entry-unreadable", "expected a class number, found the name cat"),
    "0.5 0.5 0.5 0.5 0.5": ("entry-unreadable", "expected a class number, found 0.5"),
    "nan 0.5 0.5 0.5 0.5": ("entry-unreadable", "expected a class number, found nan"),
    "1e30 0.5 0.5 0.5 0.5": ("entry-unreadable", "expected a class number, found 1e30"),
    "0 0,5 0,5 0,5 0,5": ("entry-unreadable", "with a decimal point"),
    "0,0.5,0.5,0.5,0.5": ("entry-unreadable", "spaces between them"),
    "0 0.5 x 0.5 0.5": ("entry-unreadable", 'expected numbers, found "x"'),
    "0 1_0 0.5 0.5 0.5": ("entry-unreadable", 'expected numbers, found "1_0"'),
    "1 2 3 4 5 6 7 8 plane 0": ("entry-unreadable", "a line of DOTA"),
    "2 0.5 0.5 0.5 0.5": ("class-unknown", "class 2; the numbers with a name are 0 to 1"),
    "-1 0.5 0.5 0.5 0.5": ("class-unknown", "class -1"),
}


@pytest.mark.parametrize(("line", "expected"), UNREADABLE.items())
def test_lines_that_cannot_be_read(read: Read, line: str, expected: tuple[str, str]) -> None:
    labels, findings = read_lines(read, f"{BOX}\n{line}\n{BOX}")
    (finding,) = findings
    assert finding.kind.id == expected[0]
    assert expected[1] in finding.detail
    assert finding.location.line == 3
    assert labels.labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(read: Read, encoding: str, end: str) -> None:
    labels, findings = read_lines(read, f"0\t.5 5e-1  0.50 1{end} 1 0.5 0.5 1 1 {end}".encode(encoding))
    assert labels.labels.tolist() == [0, 1, 0]
    assert [labels.location(row).line for row in (0, 1)] == [1, 2]
    assert not len(findings)


def test_a_file_that_is_no_text(read: Read) -> None:
    labels, findings = read_lines(read, bytes(100))
    assert ids(findings) == ["file-unreadable"]
    assert counts(labels) == {"a.jpg": 0, "b.jpg": 1}


def test_coordinates_that_are_not_finite(read: Read) -> None:
    labels, findings = read_lines(read, "0 nan 0.5 0.5 0.5\n0 0 0 inf 0 1 1\n")
    assert not len(findings)
    assert labels.outline is not None
    with pytest.raises(ValueError, match="expected finite coordinates"):
        labels.outline(1)


# ---------------------------------------------------------------- keypoints


def test_keypoints_are_not_used_if_data_yaml_has_kpt_shape(read: Read) -> None:
    text = "0 0.5 0.5 0.5 0.5 0.4 0.4 2 0.6 0.6 1\n1 0.5 0.5 1 1\n"
    labels, findings = read_lines(read, text, "kpt_shape: [2, 3]\nnames: [cat, dog]\n")
    assert labels.labels.tolist() == [0, 1, 0]
    assert labels.outline is None
    (finding,) = findings
    assert finding.kind.id == "keypoints-unused"
    assert str(finding).endswith("data.yaml:2: kpt_shape: 1 line with keypoints")


def test_small_polygons_of_four_points_are_no_keypoints(read: Read) -> None:
    files = photos("a.jpg", "b.jpg", "c.jpg") | {"data.yaml": "train: .\nnames: [cat]\n"}
    for stem, x in (("a", 0.3), ("b", 0.4), ("c", 0.5)):
        files[f"{stem}.txt"] = f"0 {x} {x} {x + 0.05} {x} {x + 0.05} {x + 0.04} {x} {x + 0.05}\n"
    labels, findings = read(files)
    assert not len(findings)
    assert len(labels.labels) == 3


def test_keypoints_of_two_numbers_look_like_polygons(read: Read) -> None:
    files = photos("a.jpg", "b.jpg", "c.jpg") | {"data.yaml": "train: .\nnames: [cat]\n"}
    for stem, x in (("a", 0.3), ("b", 0.4), ("c", 0.5)):
        files[f"{stem}.txt"] = f"0 {x} 0.5 0.2 0.4 {x} 0.5 {x + 0.05} 0.6 0 0\n"
    _, findings = read(files)
    (finding,) = findings
    assert finding.kind.id == "shape-unsupported"
    assert "kpt_shape: [3, 2]" in finding.detail


def test_lines_that_do_not_fit_kpt_shape(read: Read) -> None:
    _, findings = read_lines(read, "0 0 0 1 0 1 1\n", "kpt_shape: [2, 3]\nnames: [cat, dog]\n")
    (finding,) = findings
    assert finding.kind.id == "shape-unsupported"
    assert "6 numbers for keypoints" in finding.detail


# ---------------------------------------------------------------- the labels as a whole


def test_pixels_instead_of_fractions(read: Read) -> None:
    labels, findings = read_lines(read, "0 30 20 10 10\n0 40 20 160 10\n")
    (finding,) = findings
    assert finding.kind.id == "coordinates-pixels"
    assert finding.location.line == 1
    assert labels.unit == "pixel"
    assert labels.boxes[0].tolist() == [25, 15, 35, 25]


def test_percent_instead_of_fractions(read: Read) -> None:
    labels, findings = read_lines(read, "0 50 50 50 25\n0 40 20 60 10\n")
    assert ids(findings) == ["coordinates-percent"]
    assert labels.boxes[0].tolist() == [0.25, 0.375, 0.75, 0.625]


def test_one_box_outside_is_left_to_the_checks(read: Read) -> None:
    labels, findings = read_lines(read, "0 1.2 0.5 0.2 0.2\n0 30 0.5 0.2 0.2\n0 0.5 0.5 0.1 0.1\n")
    assert not len(findings)
    assert labels.boxes[:, 2].max() == 30.1


# ---------------------------------------------------------------- classes

NAMES = {
    "[cat, dog]": ("cat", "dog"),
    "{0: cat, 1: dog}": ("cat", "dog"),
    "{1: dog, 0: cat}": ("cat", "dog"),
    "\n- cat\n- dog\n": ("cat", "dog"),
    "[no, 'on', 007, ~]": ("no", "on", "007", "~"),
    "{0: cat, 5: dog}": ("cat", "dog"),
}


@pytest.mark.parametrize(("names", "expected"), NAMES.items())
def test_names_in_data_yaml(read: Read, names: str, expected: tuple[str, ...]) -> None:
    labels, findings = read_lines(read, BOX, f"names: {names}\n")
    assert labels.class_names == expected
    assert not len(findings)


def test_names_with_spaces_around_them(read: Read) -> None:
    labels, findings = read_lines(read, BOX, "names: ['cat', ' cat ', dog]\n")
    assert labels.class_names == ("cat", "dog")
    (finding,) = findings
    assert finding.kind is CLASS_NAME_SPELLINGS
    assert finding.location.line == 2
    assert finding.detail == "\"cat\" (2 spellings): ' cat ' in data.yaml:2 and 'cat' in data.yaml:2"


def test_numbers_that_name_the_same_class(read: Read) -> None:
    labels, _ = read_lines(
        read, "0 0.5 0.5 1 1\n1 0.5 0.5 1 1\n2 0.5 0.5 1 1\n", "names: [cat, ' cat', dog]\n"
    )
    assert labels.labels.tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("yaml", "kind"),
    [
        ("names: cat\n", "entry-unreadable"),
        ("names: {a: cat, 0: dog}\n", "entry-unreadable"),
        ("names: [cat, [dog]]\n", "entry-unreadable"),
        ("nc: 3\nnames: [cat, dog]\n", "class-count-differs"),
        ("nc: many\nnames: [cat, dog]\n", "class-count-differs"),
        ("names: [cat\n", "file-unreadable"),
        ("names: [cat]\nkpt_shape: 17\n", "entry-unreadable"),
        ("names: [cat]\nval: {a: b}\n", "entry-unreadable"),
    ],
)
def test_a_damaged_data_yaml(read: Read, yaml: str, kind: str) -> None:
    _, findings = read_lines(read, BOX, yaml)
    assert kind in ids(findings)


def test_a_count_without_names(read: Read) -> None:
    labels, findings = read_lines(read, "2 0.5 0.5 1 1\n7 0.5 0.5 1 1\n", "nc: 5\n")
    assert labels.class_names == ("class_0", "class_1", "class_2", "class_3", "class_4")
    assert labels.labels.tolist() == [2, 0]
    assert ids(findings) == ["class-unknown"]
    labels, _ = read_lines(read, "2 0.5 0.5 1 1\n7 0.5 0.5 1 1\n", f"nc: {10**30}\n")
    assert labels.class_names == ("class_0", "class_2", "class_7")


def test_no_names_at_all(read: Read) -> None:
    labels, findings = read(photos("a.jpg") | {"a.txt": BOX + "12 0.5 0.5 1 1\n"})
    assert labels.class_names == ("0", "12")
    (finding,) = findings
    assert finding.kind.id == "class-unknown"
    assert "found the numbers 0, 12" in finding.detail


def test_a_bomb_of_aliases(read: Read) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
    yaml = f"l0: &l0 [ha]\n{levels}names: *l11\n"
    _, findings = read_lines(read, BOX, yaml)
    assert ids(findings)[:1] == ["entry-unreadable"]


# ---------------------------------------------------------------- as a data set


def test_read_detection(write: Callable[..., Path]) -> None:
    files = photos("images/train/a.jpg", "images/val/b.jpg") | {
        "labels/train/a.txt": "0 0.5 0.5 0.5 0.5\n1 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n",
        "labels/val/b.txt": "1 0.5 0.5 0.1 0.1\n",
        "data.yaml": YAML,
    }
    dataset = read_detection(write(files))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.boxes[0].tolist() == [15, 10, 45, 30]  # photos of 60 × 40
    masks = dataset.masks(0)
    assert masks is not None
    assert masks.known.tolist() == [False, True]
    assert masks.areas()[1] == 600
    assert dataset.splits[:2].tolist() == ["train", "val"]
    assert np.isclose(dataset.areas[0], 600)


# ---------------------------------------------------------------- wrong paths of splits


@pytest.mark.parametrize(
    ("yaml", "wrong"),
    [
        (
            "train: images/trian\nval: images/val\n",
            [(1, "train", "1 photo with labels, in images/train, are")],
        ),
        ("train: images/train\nval: val.txt\n", [(2, "val", "1 photo with labels, in images/val, are")]),
        (
            "train: foto/train\nval: foto/val\n",
            [(1, "train", "no such folder"), (2, "val", "no such folder")],
        ),
    ],
)
def test_wrong_paths_of_splits(read: Read, yaml: str, wrong: list[tuple[int, str, str]]) -> None:
    files = photos("images/train/a.jpg", "images/val/b.jpg")
    files |= {"labels/train/a.txt": BOX, "labels/val/b.txt": BOX, "data.yaml": f"{yaml}names: [cat]\n"}
    _, findings = read(files)
    found = [finding for finding in findings if finding.kind.id == "split-path-wrong"]
    assert [(finding.location.line, finding.location.entry) for finding in found] == [
        (line, entry) for line, entry, _ in wrong
    ]
    assert all(detail in str(finding) for finding, (*_, detail) in zip(found, wrong, strict=True))
    assert all(finding.kind.severity == "error" for finding in found)


def test_predictions_are_no_photos_of_a_wrong_split(read: Read) -> None:
    files = photos("images/train/a.jpg") | {"labels/train/a.txt": BOX, "runs/labels/a.txt": BOX}
    _, findings = read(files | {"data.yaml": "train: images/train\nval: images/val\nnames: [cat]\n"})
    assert "split-missing" in ids(findings)
    assert "split-path-wrong" not in ids(findings)

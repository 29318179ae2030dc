"""Converting label maps and class folders, and to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxmask.data.classification.read import read_unsplit_classification
from boxmask.data.conversion.convert import convert
from boxmask.data.detection.read import read_detection
from boxmask.data.segmentation.read import read_segmentation
from boxmask.errors import LabelError, UsageError


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    root = tmp_path / "sorted"
    for number, file in enumerate(("train/cat/a.jpg", "train/dog/a.jpg", "test/cat/b.jpg")):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), (80 * number, 90, 90)).save(root / file)
    return root


def test_label_maps_are_written_again(label_maps: Path, tmp_path: Path) -> None:
    classes_file = tmp_path / "classes.txt"
    classes_file.write_text("background\ndigit\n")
    convert(label_maps, "label-maps", tmp_path / "out", classes_file=classes_file)
    old = read_segmentation(label_maps, classes_file=classes_file)
    new = read_segmentation(tmp_path / "out")
    assert new.class_names == old.class_names
    assert new.files.tolist() == old.files.tolist()
    assert new.splits.tolist() == old.splits.tolist()
    for photo in range(len(old)):
        assert np.array_equal(new.source.labels(photo), old.source.labels(photo))


def test_label_maps_do_not_become_objects(label_maps: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="do not tell the objects of a class apart"):
        convert(label_maps, "coco", tmp_path / "out")


def test_outlines_become_the_label_maps_that_segmenters_learn(demo: Path, tmp_path: Path) -> None:
    convert(demo, "label-maps", tmp_path / "out")
    old, new = read_segmentation(demo), read_segmentation(tmp_path / "out")
    assert new.class_names == old.class_names
    assert json.loads((tmp_path / "out/classes.json").read_text())["background"] == 0
    order = {Path(file).name: photo for photo, file in enumerate(old.files.tolist())}
    for photo, file in enumerate(new.files.tolist()):
        assert np.array_equal(new.source.labels(photo), old.source.labels(order[Path(file).name]))


def test_crowd_difficult_and_boxes_are_ignored_pixels(
    write_coco: Callable[..., Path], coco: Callable, annotation: Callable, tmp_path: Path
) -> None:
    square = [[5, 5, 15, 5, 15, 15, 5, 15]]
    objects = [
        annotation(1, 1, [5, 5, 10, 10], segmentation=square),
        annotation(1, 2, [20.5, 5, 10, 10]),
        annotation(1, 2, [40, 5, 10, 10], iscrowd=1),
    ]
    root = write_coco(coco([(1, "a.jpg")], objects))
    conversion = convert(root, "label-maps", tmp_path / "out")
    old, new = read_segmentation(root), read_segmentation(tmp_path / "out")
    assert np.array_equal(new.source.labels(0), old.source.labels(0))
    assert np.unique(new.source.labels(0)).tolist() == [0, 1, 255]
    assert any("boxes of ignored pixels" in what for what, _ in conversion.losses)


@pytest.mark.parametrize("to", ["label-maps", "instance-maps"])
def test_boxes_alone_make_no_mask_images(boxes_only: Path, tmp_path: Path, to: str) -> None:
    with pytest.raises(UsageError, match="no object has an outline"):
        convert(boxes_only, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_instance_maps_of_several_classes_call_them_object(demo: Path, tmp_path: Path) -> None:
    conversion = convert(demo, "instance-maps", tmp_path / "out")
    assert any("do not tell the classes" in what for what, _ in conversion.losses)
    old, new = read_detection(demo), read_detection(tmp_path / "out")
    assert new.class_names == ("object",)
    assert sorted(new.splits.tolist()) == sorted(old.splits.tolist())
    assert len(new.labels) == len(old.labels)


def test_class_folders_are_written_again(class_folders: Path, tmp_path: Path) -> None:
    conversion = convert(class_folders, "class-folders", tmp_path / "out")
    assert conversion.losses == ()
    old, new = read_unsplit_classification(class_folders), read_unsplit_classification(tmp_path / "out")
    assert new.files.tolist() == old.files.tolist()
    assert new.splits.tolist() == old.splits.tolist()
    assert new.labels.tolist() == old.labels.tolist()


def test_class_folders_hold_no_objects(class_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can be written as class-folders or csv, not as coco"):
        convert(class_folders, "coco", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="no labels found"):
        convert(tmp_path / "empty", "coco", tmp_path / "out")


def test_photos_of_one_class_become_class_folders(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    boxes = {
        "a": [("cat", 1, 1, 9, 9), ("cat", 20, 5, 30, 9)],
        "b": [("cat", 1, 1, 9, 9), ("dog", 20, 5, 30, 9)],
        "c": [("dog", 1, 1, 60, 40)],
        "d": [],
    }
    conversion = convert(write_voc(boxes), "class-folders", tmp_path / "out")
    written = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg")
    )
    assert written == ["cat/a.jpg", "dog/c.jpg"]
    assert dict(conversion.losses) == {
        "class folders hold one class per photo; boxes and outlines of objects are not written": ("a.jpg",),
        "photos with objects of several classes are not written": ("b.jpg",),
        "photos without objects are not written, because they have no class": ("d.jpg",),
    }


def test_class_folders_need_photos(class_folders: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--photos copy or --photos link"):
        convert(class_folders, "class-folders", tmp_path / "out", photos="none")

"""Which labels of a data set segmentation takes: masks or label maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.class_selection import ClassSelection
from boxmask.data.segmentation.from_masks import BACKGROUND
from boxmask.data.segmentation.read import read_unsplit_segmentation
from boxmask.errors import LabelError

Write = Callable[..., Path]
SQUARE = [[10, 10, 30, 10, 30, 30, 10, 30]]


def with_label_maps(root: Path, photos: str = "images", labels: str = "masks") -> Path:
    """Write a label map of 0 and 1 for each photo."""
    (root / labels).mkdir(parents=True)
    for photo in (root / photos).iterdir():
        label = np.zeros(Image.open(photo).size[::-1], dtype=np.uint8)
        label[5:] = 1
        Image.fromarray(label).save(root / labels / f"{photo.stem}.png")
    return root


@pytest.fixture
def with_masks(write_coco: Write, coco: Callable[..., Any], annotation: Callable[..., Any]) -> Path:
    objects = [annotation(1, 1, (10, 10, 20, 20), segmentation=SQUARE, area=400, iscrowd=0)]
    return write_coco(coco([(1, "a.jpg"), (2, "b.jpg")], objects))


def test_masks_are_painted(with_masks: Path) -> None:
    dataset = read_unsplit_segmentation(with_masks)
    assert dataset.class_names == (BACKGROUND, "cat", "dog")
    assert (dataset.target(0).labels == 1).sum() == 400
    assert (dataset.target(1).labels == 0).all()
    assert dataset.splits.tolist() == ["", ""]


def test_masks_come_before_label_maps_unless_a_classes_file_is_given(
    with_masks: Path, tmp_path: Path
) -> None:
    with_label_maps(with_masks)
    assert BACKGROUND in read_unsplit_segmentation(with_masks).class_names
    (tmp_path / "mine.txt").write_text("air\nground\n")
    dataset = read_unsplit_segmentation(with_masks, classes_file=tmp_path / "mine.txt")
    assert dataset.class_names == ("air", "ground")


def test_a_classes_file_without_label_maps(with_masks: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("air\nground\n")
    with pytest.raises(LabelError, match="no label maps found"):
        read_unsplit_segmentation(with_masks, classes_file=tmp_path / "mine.txt")


def test_boxes_without_masks_are_refused(write_voc: Write) -> None:
    root = write_voc({"a": [("cat", 3, 3, 20, 20)]})
    with pytest.raises(LabelError, match=r"its objects have boxes but no masks.*Give a data set with masks"):
        read_unsplit_segmentation(root)


def test_label_maps_of_voc_are_read(write_voc: Write) -> None:
    root = write_voc({"a": [("cat", 3, 3, 20, 20)], "b": []})
    with_label_maps(root, "JPEGImages", "SegmentationClass")
    (root / "classes.txt").write_text("air\nground\n")
    dataset = read_unsplit_segmentation(root)
    assert dataset.class_names == ("air", "ground")
    assert len(dataset) == 2


def test_bad_boxes_beside_masks(
    write_coco: Write, coco: Callable[..., Any], annotation: Callable[..., Any]
) -> None:
    good = annotation(1, 1, (10, 10, 20, 20), segmentation=SQUARE, area=400, iscrowd=0)
    flat = annotation(1, 2, (5, 5, 0, 9))
    root = write_coco(coco([(1, "a.jpg")], [good, flat]))
    with pytest.raises(LabelError, match=r"without area \(1 of 2, 50 %\)"):
        read_unsplit_segmentation(root)
    assert (read_unsplit_segmentation(root, on_bad_boxes="skip").target(0).labels == 1).sum() == 400


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"nowhere: "):
        read_unsplit_segmentation(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match="no label maps found"):
        read_unsplit_segmentation(tmp_path / "empty")


def test_a_segmentation_mask_export_of_cvat(tmp_path: Path) -> None:
    for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject", "ImageSets/Segmentation"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a", "b"):
        Image.new("RGB", (8, 6)).save(tmp_path / f"JPEGImages/{name}.jpg")
        colors = np.zeros((6, 8, 3), np.uint8)
        colors[:, 4:] = (128, 0, 0)
        for folder in ("SegmentationClass", "SegmentationObject"):
            Image.fromarray(colors).save(tmp_path / f"{folder}/{name}.png")
    (tmp_path / "ImageSets/Segmentation/default.txt").write_text("a\nb\n")
    text = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nsquare:128,0,0::\n"
    (tmp_path / "labelmap.txt").write_text(text)
    dataset = read_unsplit_segmentation(tmp_path)
    assert dataset.files.tolist() == ["JPEGImages/a.jpg", "JPEGImages/b.jpg"]
    assert dataset.class_names == ("background", "square")
    assert dataset.pixel_counts.tolist() == [[24, 24]] * 2


def test_the_masks_of_other_classes_become_background(
    write_coco: Write, coco: Callable[..., Any], annotation: Callable[..., Any]
) -> None:
    moved = [[x + 10 for x in SQUARE[0]]]
    objects = [
        annotation(1, 1, (10, 10, 20, 20), segmentation=SQUARE, area=400, iscrowd=0),
        annotation(1, 2, (20, 20, 20, 20), segmentation=moved, area=400, iscrowd=0),
    ]
    root = write_coco(coco([(1, "a.jpg")], objects))
    dataset = read_unsplit_segmentation(root, selection=ClassSelection(("pet",), ("dog=pet",)))
    assert dataset.class_names == (BACKGROUND, "pet")
    labels = dataset.target(0).labels.numpy()
    assert set(np.unique(labels)) == {0, 1}
    assert dataset.pixel_counts[0].tolist() == [(labels == 0).sum(), (labels == 1).sum()]


def test_the_pixels_of_other_classes_become_background(write_coco: Write, coco: Callable[..., Any]) -> None:
    root = with_label_maps(write_coco(coco([(1, "a.jpg")], [])))
    for file in root.rglob("*.json"):
        file.unlink()
    (root / "classes.txt").write_text("sky\nroad\n")
    plain = read_unsplit_segmentation(root)
    only_road = read_unsplit_segmentation(root, selection=ClassSelection(("road",)))
    assert only_road.class_names == ("road", BACKGROUND)
    assert (only_road.target(0).labels == 0).equal(plain.target(0).labels == 1)
    assert only_road.pixel_counts[0].tolist() == plain.pixel_counts[0][::-1].tolist()
    assert only_road.fingerprint() != plain.fingerprint()
    merged = read_unsplit_segmentation(root, selection=ClassSelection(None, ("sky=all", "road=all")))
    assert merged.class_names == ("all",)
    assert int(merged.pixel_counts.sum()) == int(plain.pixel_counts.sum())

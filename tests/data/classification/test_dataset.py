"""Objects cropped from labeled photos: what each shows, and that all of a photo are in one split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxmask.data.class_checks import check_training_classes
from boxmask.data.classification.dataset import CONTEXT, NO_CONTEXT, ClassificationDataset, crop_objects
from boxmask.data.classification.read import read_classification
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_detection
from boxmask.data.split_file import apply_split_file, write_split_file
from boxmask.errors import LabelError, PhotoError


def tiny(root: Path = Path("somewhere")) -> DetectionDataset:
    """Three photos of 50 x 60: two objects (one a crowd), none, two (one difficult)."""
    boxes = [[10, 20, 29.5, 40], [1, 1, 9, 9], [40, 30, 60, 50], [2, 2, 3, 3]]
    return DetectionDataset(
        root=root,
        class_names=("cat", "dög"),
        files=np.array(["a.png", "b.png", "c.png"]),
        image_ids=np.arange(3),
        sizes=np.full((3, 2), (50, 60), dtype=np.int32),
        splits=np.array(["train", "val", "test"]),
        offsets=np.array([0, 2, 2, 4]),
        boxes=np.array(boxes, dtype=np.float32),
        labels=np.array([0, 1, 1, 0]),
        areas=np.ones(4, dtype=np.float32),
        crowd=np.array([False, True, False, False]),
        difficult=np.array([False, False, False, True]),
        notes=("a note",),
    )


def test_counted_objects_are_items() -> None:
    items = crop_objects(tiny(), NO_CONTEXT)
    assert len(items) == 2
    assert items.labels.tolist() == [0, 1]
    assert items.files.tolist() == ["a.png", "c.png"]
    assert items.splits.tolist() == ["train", "test"]
    assert items.windows.tolist() == [[10, 20, 30, 40], [40, 30, 60, 50]]
    assert items.sizes.tolist() == [[20, 20], [20, 20]]
    assert items.path(1) == Path("somewhere/c.png")
    assert items.target(1).label == 1
    assert items.notes == ("a note",)
    assert items.class_names == ("cat", "dög")


def test_context_follows_rcnn_and_ends_at_the_edge_of_the_photo() -> None:
    """16 pixels on each side of 227, which is what the object and its surroundings are warped to."""
    assert CONTEXT == (227, 16)
    items = crop_objects(
        replace(tiny(), boxes=tiny().boxes * np.float32(0.5)), (10, 2)
    )  # a third of each side
    assert items.windows[0].tolist() == [1, 6, 18, 24]  # 1.75, 6.67, 18, 23.33
    assert crop_objects(tiny(), (10, 2)).windows[1].tolist() == [33, 23, 60, 50]


def test_an_item_is_at_least_one_pixel_wide() -> None:
    thin = np.array([[59.9, 49.9, 60, 50], [1, 1, 9, 9], [0, 0, 0.1, 0.1], [2, 2, 3, 3]], dtype=np.float32)
    items = crop_objects(replace(tiny(), boxes=thin), NO_CONTEXT)
    assert items.windows.tolist() == [[59, 49, 60, 50], [0, 0, 1, 1]]


def test_the_photo_of_an_item_is_its_window(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "c.png")
    shown = crop_objects(tiny(tmp_path), NO_CONTEXT).photo(1)
    assert np.array_equal(shown.permute(1, 2, 0).numpy(), pixels[30:50, 40:60])
    with pytest.raises(PhotoError, match=r"a\.png: this photo does not exist"):
        crop_objects(tiny(tmp_path)).photo(0)


def test_subsets_and_splits_keep_items_with_their_photos() -> None:
    items = crop_objects(tiny())
    swapped = items.subset(np.array([1, 0]))
    assert swapped.files.tolist() == ["c.png", "a.png"]
    assert swapped.labels.tolist() == [1, 0]
    assert items.split("test").files.tolist() == ["c.png"]
    assert len(items.split("val")) == 0
    assert items.split("val").sizes.shape == (0, 2)
    assert items.subset(np.zeros(0, dtype=np.int64)).fingerprint() != items.fingerprint()


def test_photos_without_objects_have_no_items() -> None:
    items = crop_objects(tiny().subset(np.array([1])))
    assert len(items) == 0
    assert items.labels.shape == (0,)
    assert items.windows.shape == (0, 4)


def test_the_fingerprint_does_not_depend_on_the_machine_or_folder() -> None:
    items = crop_objects(tiny())
    swapped = replace(items, rows=items.rows.astype(">i8"), windows=items.windows.astype(np.int32))
    assert swapped.fingerprint() == items.fingerprint()
    assert crop_objects(tiny(Path("/other"))).fingerprint() == items.fingerprint()


CHANGES: list[Callable[[ClassificationDataset], ClassificationDataset]] = [
    lambda d: crop_objects(d.photos, NO_CONTEXT),
    lambda d: crop_objects(replace(d.photos, class_names=("dög", "cat"))),
    lambda d: crop_objects(replace(d.photos, labels=1 - d.photos.labels)),
    lambda d: crop_objects(replace(d.photos, splits=np.array(["train", "val", "train"]))),
    lambda d: d.subset(np.array([0])),
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_fingerprint_changes(change: Callable[[ClassificationDataset], ClassificationDataset]) -> None:
    items = crop_objects(tiny())
    assert change(items).fingerprint() != items.fingerprint()


# ---------------------------------------------------------------- from label files


def test_reading_a_detection_data_set(write_voc: Callable[..., Path], tmp_path: Path) -> None:
    label_files: dict[str, Any] = {
        f"{number:02}": [("cat", 2, 2, 20, 20), ("dog", 10, 5, 40, 30)] for number in range(10)
    }
    root = write_voc(label_files)
    items = read_classification(root, split_seed=2)
    assert len(items) == 20
    assert items.class_names == ("cat", "dog")
    assert items.notes == read_detection(root, split_seed=2).notes
    for file in set(items.files):
        assert len(set(items.splits[items.files == file])) == 1, "the parts of a photo are in one split"
    write_split_file(items.photos, tmp_path / "split.json")
    again = read_classification(root, split_file=tmp_path / "split.json")
    assert again.fingerprint() == items.fingerprint()
    of_photos = items.with_photos(apply_split_file(items.photos, tmp_path / "split.json"))
    assert of_photos.fingerprint() == items.fingerprint()
    assert check_training_classes(items.photos) == ()
    assert items.photo(0).shape[1:] == tuple(items.sizes[0])


def test_a_detection_data_set_of_one_class_is_refused(write_voc: Callable[..., Path]) -> None:
    root = write_voc({"a": [("cat", 2, 2, 20, 20)], "b": [("cat", 2, 2, 20, 20)]})
    with pytest.raises(LabelError, match="found one class, cat"):
        read_classification(root)


def test_a_detection_data_set_without_objects_is_refused(
    write_coco: Callable[..., Path], coco: Callable[..., Any]
) -> None:
    with pytest.raises(LabelError, match="found no class"):
        read_classification(write_coco(coco([(1, "a.jpg"), (2, "b.jpg")])))

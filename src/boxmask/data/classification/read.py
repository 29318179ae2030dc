"""Read a classification data set: one folder of photos per class, or the objects of a detection data set.

CLASS/photo.jpg                                 photos may lie deeper; the top folder is the class
train|val|test/CLASS/photo.jpg                  with splits
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.checks.similar_class_names import check_similar_names
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.classification.class_folders import Item, check_identical_photos, find_class_folders
from boxmask.data.classification.dataset import (
    CONTEXT,
    NO_CONTEXT,
    ClassificationDataset,
    crop_objects,
)
from boxmask.data.classification.selected_classes import select_photos
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.canonical_order import in_canonical_order
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.findings import Findings, Location
from boxmask.data.groups.choose import choose_splits
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.photo_checks import OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos, select_all
from boxmask.errors import LabelError
from boxmask.progress import Progress


def read_classification(
    path: str | Path,
    *,
    split_seed: int | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    context: tuple[int, int] = CONTEXT,
    selection: ClassSelection = ALL_CLASSES,
    earlier: Sequence[EarlierSplit] = (),
    progress: Progress | None = None,
) -> ClassificationDataset:
    """Read photos in class folders, or crop the objects of a detection data set.

    `choose_splits` tells where the splits come from; they are chosen photo by photo. The data set's `notes`
    tell what was left out or changed.

    split_seed, group_by, earlier, progress: see `choose_splits`
    on_bad_boxes, on_bad_photos: see `read_detection`
    context: see `crop_objects`; for detection data sets only
    selection: the classes to use

    Raises LabelError if there are fewer than two classes, and as `read_unsplit_classification` does.
    """
    dataset = read_unsplit_classification(path, on_bad_boxes, on_bad_photos, context, selection=selection)
    _check_two_classes(dataset, Path(path))
    return dataset.with_photos(
        choose_splits(dataset.photos, split_seed, split_file, group_by, on_bad_photos, earlier, progress)
    )


def read_unsplit_classification(
    path: str | Path,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    context: tuple[int, int] = CONTEXT,
    select: SelectPhotos = select_all,
    selection: ClassSelection = ALL_CLASSES,
) -> ClassificationDataset:
    """Read as `read_classification` does, but with any number of classes.

    select: chooses the photos to return; others need not be intact

    `splits` is "" where the data set names no split. Raises LabelError for folders that are not one per
    class, for a photo in two classes, and as `read_detection` does; PhotoError for unreadable photos.
    """
    if has_detection_labels(Path(path)):
        objects = read_unsplit_detection(
            path, on_bad_boxes, on_bad_photos, needs_masks=False, select=select, selection=selection
        )
        return crop_objects(in_canonical_order(objects), context)
    photos = read_class_folders(Path(path), on_bad_photos, select)
    return crop_objects(select_photos(photos, selection), NO_CONTEXT)


def read_class_folders(
    root: Path, on_bad_photos: OnBadPhotos = "error", select: SelectPhotos = select_all
) -> DetectionDataset:
    """Photos in class folders, each with one box as large as the photo.

    Raises LabelError for folders that are not one per class, and PhotoError for photos that cannot be read.
    """
    findings = Findings()
    folder = find_class_folders(root, findings)
    findings.raise_errors()
    root, names = folder.root, list(folder.items)
    chosen = select(PhotoList.of(root, names, [folder.items[name].split for name in names]))
    sizes, bad_photos = check_photos(root, names, on_bad_photos, set(chosen.files.tolist()))
    chosen = chosen.without([names[index] for index in bad_photos], note_on_bad_photos(bad_photos))
    good = [index for index in range(len(names)) if index not in bad_photos]
    items = {names[index]: folder.items[names[index]] for index in good}
    check_identical_photos(root, items, findings)
    check_similar_names(sorted({item.class_name for item in items.values()}), Location(str(root)), findings)
    findings.raise_errors()
    return chosen.select_from(_dataset(root, items, sizes[good], folder.notes + findings.notes()))


# ---------------------------------------------------------------- arrays


def _dataset(
    root: Path, items: Mapping[str, Item], sizes: NDArray[np.int32], notes: tuple[str, ...]
) -> DetectionDataset:
    """From the class and split of each photo, sorted by file, and the sizes of the photos."""
    files = list(items)
    classes = sorted({item.class_name for item in items.values()})
    boxes = np.concatenate([np.zeros_like(sizes), sizes[:, ::-1]], axis=1).astype(np.float32)
    return DetectionDataset(
        root=root,
        class_names=tuple(classes),
        files=np.array(files),
        image_ids=np.arange(len(files)),
        sizes=sizes,
        splits=np.array([items[file].split for file in files], dtype="<U5"),
        offsets=np.arange(len(files) + 1),
        boxes=boxes,
        labels=np.array([classes.index(items[file].class_name) for file in files], dtype=np.int64),
        areas=boxes[:, 2] * boxes[:, 3],
        crowd=np.zeros(len(files), dtype=np.bool_),
        difficult=np.zeros(len(files), dtype=np.bool_),
        notes=notes,
    )


def _check_two_classes(dataset: ClassificationDataset, path: Path) -> None:
    shown = [dataset.class_names[label] for label in np.unique(dataset.labels)]
    if len(shown) < 2:
        found = f"one class, {shown[0]}" if shown else "no class"
        raise LabelError(f"{path}: a classifier needs at least two classes, found {found}. Add another.")

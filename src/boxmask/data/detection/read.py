"""Read a detection data set from a folder or a label file in any supported format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.canonical_order import in_canonical_order
from boxmask.data.detection.checked_labels import CheckedLabels
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read_checked_labels import read_checked_labels
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.groups.choose import choose_splits
from boxmask.data.groups.growth import EarlierSplit
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_list import SelectPhotos, select_all
from boxmask.progress import Progress

_INT64 = 2**63


def read_detection(
    path: str | Path,
    *,
    split_seed: int | None = None,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos | None = "error",
    needs_masks: bool = True,
    selection: ClassSelection = ALL_CLASSES,
    earlier: Sequence[EarlierSplit] = (),
    progress: Progress | None = None,
) -> DetectionDataset:
    """Read labeled photos, sorted by name, in the order for training (see `in_canonical_order`).

    `choose_splits` tells where the splits come from. The data set's `notes` tell what was left out or
    changed.

    split_seed, group_by, earlier, progress: see `choose_splits`
    on_bad_boxes: what to do with boxes that are empty or outside their photo, and with outlines that cannot
                  be read: "error" stops at any, "skip" leaves out any number. Default: leave them out while
                  they are under 1 % of all objects of the data set, else stop.
    on_bad_photos: what to do with photos that do not exist or cannot be read; None keeps them, for callers
                  that leave out what they cannot read
    needs_masks:  False if only boxes are learned or evaluated: outlines that cannot be read are then left out
                  with a note, whatever `on_bad_boxes` says
    selection:    the classes to use; photos that show none of them stay, as background

    Raises LabelError for labels that cannot be read, for photos that do not exist, for bad boxes, and for
    boxes that may lie sideways on their photos or at another scale (see `find_label_sizes`). Raises
    PhotoError for photos that cannot be read, and UsageError for another value of an option.
    """
    unsplit = read_unsplit_detection(
        path, on_bad_boxes, on_bad_photos, needs_masks=needs_masks, selection=selection
    )
    dataset = in_canonical_order(unsplit)
    policy = on_bad_photos or "error"
    return choose_splits(dataset, split_seed, split_file, group_by, policy, earlier, progress)


def read_unsplit_detection(
    path: str | Path,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos | None = "error",
    *,
    needs_masks: bool = True,
    select: SelectPhotos = select_all,
    selection: ClassSelection = ALL_CLASSES,
) -> DetectionDataset:
    """Read labeled photos as `read_detection` does, with classes and objects in the order of the labels.

    `splits` is "" where the data set names no split.

    select: chooses the photos to return; others need not be intact
    """
    checked = read_checked_labels(
        path, on_bad_boxes, on_bad_photos, needs_masks=needs_masks, select=select, selection=selection
    )
    return checked.photos.select_from(_dataset(checked))


# ---------------------------------------------------------------- arrays


def _dataset(checked: CheckedLabels) -> DetectionDataset:
    """Sort photos by name and good objects by photo."""
    labels, boxes = checked.labels, checked.boxes
    files = np.array([photo.file for photo in labels.photos])
    order = np.argsort(files, kind="stable")
    photo_of = np.argsort(order)[labels.photo_of]  # the inverse of a permutation
    rows = _rows_by_photo(photo_of, checked.good)
    kept = checked.masks[rows]
    return DetectionDataset(
        root=labels.root,
        class_names=labels.class_names,
        files=files[order],
        image_ids=_image_ids(labels.photos)[order],
        sizes=checked.sizes[order],
        splits=np.array([photo.split or "" for photo in labels.photos], dtype="<U5")[order],
        offsets=np.searchsorted(photo_of[rows], np.arange(len(files) + 1)),
        boxes=boxes[rows],
        labels=labels.labels[rows],
        areas=_areas(labels.areas[rows], kept.areas(), boxes[rows]),
        crowd=labels.crowd[rows],
        difficult=labels.difficult[rows],
        notes=labels.notes,
        runs=kept.runs,
        run_offsets=kept.offsets,
    )


def _rows_by_photo(photo_of: NDArray[np.int64], good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows of good objects, sorted by photo."""
    rows = np.argsort(photo_of, kind="stable")
    return rows[good[rows]]


def _image_ids(photos: Sequence[PhotoEntry]) -> NDArray[np.int64]:
    """The ids of the format if all photos have one of 64 bits and all differ, else 0..P-1 by name."""
    ids = [photo.image_id for photo in photos if photo.image_id is not None]
    if len(set(ids)) == len(photos) and all(-_INT64 <= image_id < _INT64 for image_id in ids):
        return np.array(ids, dtype=np.int64)
    by_name = np.argsort(np.array([photo.file for photo in photos]), kind="stable")
    ranks = np.empty(len(photos), dtype=np.int64)
    ranks[by_name] = np.arange(len(photos))
    return ranks


def _areas(
    declared: NDArray[np.float64], mask_areas: NDArray[np.int64], boxes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The declared areas, else those of the masks, else those of the boxes."""
    box_areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    measured = np.where(mask_areas > 0, mask_areas, box_areas)
    return np.where(declared > 0, declared, measured).astype(np.float32)

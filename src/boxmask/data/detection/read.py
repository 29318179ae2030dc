"""From a folder or an annotation file, in whatever format, to the index of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from boxmask.data.detection.box_checks import OnBadBoxes, check_boxes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.detection.with_masks import with_masks
from boxmask.data.formats import coco, instance_maps, voc
from boxmask.data.formats.labels import LabeledPhoto, Labels
from boxmask.data.formats.source import Source, look_at
from boxmask.data.photo_sizes import notes_on_sizes, read_sizes
from boxmask.data.split import apply_split_file, draw_missing_splits
from boxmask.errors import LabelError


class Format(Protocol):
    """What a file in `formats/` offers."""

    NAME: str

    def recognize(self, source: Source) -> list[str]:
        """The label files in this format; none where it is not used."""

    def read(self, source: Source, files: Sequence[str]) -> Labels:
        """What these label files say."""


_FORMATS: tuple[tuple[Format, ...], ...] = ((voc, coco), (instance_maps,))
"""The later ones are looked for only where there are no labels in the earlier ones: photos in a folder called
labels may be label images, or only beside them."""


def read_detection(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
) -> DetectionDataset:
    """Read labeled photos; the format is recognized by looking.

    The photos come sorted by name. Their splits are those of `split_file`, else the set's own, completed by a
    draw with `split_seed` where something is missing. What was noticed on the way is in the set's `notes`.

    on_bad_boxes: what to do with boxes that are empty or outside their photo: "error" stops at any, "skip"
                  leaves out any number. Default: leave them out while they are under 1 % of all boxes of
                  the data set, else stop.

    Raises LabelError for labels that cannot be read, for bad boxes, and for boxes that may lie sideways on
    their photos (see `notes_on_sizes`). Raises PhotoError for photos that cannot be read.
    """
    dataset = read_unsplit_detection(path, on_bad_boxes)
    return apply_split_file(dataset, split_file) if split_file else draw_missing_splits(dataset, split_seed)


def read_unsplit_detection(path: str | Path, on_bad_boxes: OnBadBoxes | None = None) -> DetectionDataset:
    """The same, with only the splits that the set itself speaks of; the others are ""."""
    source = look_at(Path(path))
    labels = _labels(source, Path(path))
    sizes = read_sizes(labels.root, labels.photos)
    on_sizes = notes_on_sizes(labels, sizes)  # first, as boxes drawn sideways may look like bad ones
    labels, outlines, on_outlines = with_masks(labels, sizes)
    boxes, sound, on_boxes = check_boxes(labels, sizes, on_bad_boxes)
    notes = (*labels.notes, *on_sizes, *on_outlines, *on_boxes)
    return _index(labels, sizes, boxes, outlines, np.flatnonzero(sound), notes)


def has_detection_labels(path: Path) -> bool:
    """Whether there are labels at `path`, in a format that `read_detection` knows."""
    if not path.exists():
        return False
    return bool(_fitting(look_at(path)))


def _fitting(source: Source) -> list[tuple[Format, list[str]]]:
    """The formats that are used, each with its label files."""
    for formats in _FORMATS:
        if fitting := [(format_, files) for format_ in formats if (files := format_.recognize(source))]:
            return fitting
    return []


def _labels(source: Source, path: Path) -> Labels:
    """Read with the one format that fits. Raises LabelError where none fits, or several."""
    fitting = _fitting(source)
    if not fitting:
        known = " or ".join(format_.NAME for formats in _FORMATS for format_ in formats)
        raise LabelError(f"{path}: no labels found. Looked for {known}; found {source.contents()}.")
    if len(fitting) > 1:
        found = " and ".join(f"{format_.NAME}: {files[0]}" for format_, files in fitting)
        raise LabelError(f"{path}: labels in several formats ({found}). Give the file or folder of one.")
    format_, files = fitting[0]
    labels = format_.read(source, files)
    if not labels.photos:
        raise LabelError(f"{path}: the labels ({files[0]}) speak of no photo.")
    if not labels.class_names:
        raise LabelError(f"{path}: the labels ({files[0]}) name no class, so there is nothing to learn.")
    return labels


def _index(
    labels: Labels,
    sizes: NDArray[np.int32],
    boxes: NDArray[np.float32],
    outlines: RleMasks,
    sound: NDArray[np.int64],
    notes: tuple[str, ...],
) -> DetectionDataset:
    """Sort photos by name and sound objects, given by row, by photo."""
    files = np.array([photo.file for photo in labels.photos])
    order = np.argsort(files, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    rows = sound[np.argsort(rank[labels.photo[sound]], kind="stable")]
    per_photo = np.bincount(rank[labels.photo[rows]], minlength=len(files))
    kept = outlines[rows]
    return DetectionDataset(
        root=labels.root,
        class_names=labels.class_names,
        files=files[order],
        image_ids=_image_ids(labels.photos)[order],
        sizes=sizes[order],
        splits=np.array([photo.split or "" for photo in labels.photos], dtype="<U5")[order],
        offsets=np.concatenate([[0], np.cumsum(per_photo)]).astype(np.int64),
        boxes=boxes[rows],
        labels=labels.labels[rows],
        areas=_areas(labels.areas[rows], kept.areas(), boxes[rows]),
        crowd=labels.crowd[rows],
        difficult=labels.difficult[rows],
        notes=notes,
        runs=kept.runs,
        run_offsets=kept.offsets,
    )


def _image_ids(photos: Sequence[LabeledPhoto]) -> NDArray[np.int64]:
    """The format's own numbers if every photo has one and no two the same, else 0..P-1 by name."""
    numbers = [photo.image_id for photo in photos if photo.image_id is not None]
    if len(set(numbers)) == len(photos):
        return np.array(numbers, dtype=np.int64)
    by_name = np.argsort(np.array([photo.file for photo in photos]), kind="stable")
    ids = np.empty(len(photos), dtype=np.int64)
    ids[by_name] = np.arange(len(photos))
    return ids


def _areas(
    declared: NDArray[np.float64], of_outlines: NDArray[np.int64], boxes: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The outlines' areas where declared or known, else the boxes'."""
    of_boxes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    measured = np.where(of_outlines > 0, of_outlines, of_boxes)
    return np.where(declared > 0, declared, measured).astype(np.float32)

"""Read a classification data set: one folder of photos per class, or the objects of a detection data set.

CLASS/photo.jpg                                 photos may lie deeper; the top folder is the class
train|val|test/CLASS/photo.jpg                  with splits
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from boxmask.data.archives import unpacked
from boxmask.data.class_names import notes_on_class_names
from boxmask.data.class_selection import ALL_CLASSES, ClassSelection, select_photos
from boxmask.data.classification.dataset import (
    CONTEXT,
    NO_CONTEXT,
    ClassificationDataset,
    crop_objects,
)
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import read_unsplit_detection
from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.data.formats.source import split_from_name
from boxmask.data.groups.identical_files import identical_files
from boxmask.data.groups.split import draw_grouped_splits
from boxmask.data.photo_checks import OnBadPhotos, check_photos, note_on_bad_photos
from boxmask.data.photo_list import PhotoList, SelectPhotos, select_all
from boxmask.data.split_file import apply_split_file, is_split_file
from boxmask.errors import LabelError
from boxmask.file_kinds import PHOTO_SUFFIXES, is_folder, note_on_unused_files
from boxmask.messages import format_count, format_errors, format_note
from boxmask.names import class_name
from boxmask.outputs import note_on_outputs, split_outputs
from boxmask.photos.folders import visible_files

_EXPECTED = "Give a folder with one folder of photos per class, or a data set with labeled boxes."


def read_classification(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    group_by: str | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    context: tuple[int, int] = CONTEXT,
    selection: ClassSelection = ALL_CLASSES,
) -> ClassificationDataset:
    """Read photos in class folders, or crop the objects of a detection data set.

    Splits are those of `split_file`, else the data set's own; missing ones are drawn with `split_seed`, photo
    by photo. The data set's `notes` tell what was left out or changed.

    group_by: see `draw_grouped_splits`
    on_bad_boxes, on_bad_photos: see `read_detection`
    context: see `crop_objects`; for detection data sets only
    selection: the classes to use

    Raises LabelError if there are fewer than two classes, and as `read_unsplit_classification` does.
    """
    dataset = read_unsplit_classification(path, on_bad_boxes, on_bad_photos, context, selection=selection)
    _check_two_classes(dataset, Path(path))
    if split_file:
        return dataset.with_photos(apply_split_file(dataset.photos, split_file, on_bad_photos))
    return dataset.with_photos(draw_grouped_splits(dataset.photos, split_seed, group_by))


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
        return crop_objects(objects, context)
    photos = read_class_folders(Path(path), on_bad_photos, select)
    return crop_objects(select_photos(photos, selection), NO_CONTEXT)


def read_class_folders(
    root: Path, on_bad_photos: OnBadPhotos = "error", select: SelectPhotos = select_all
) -> DetectionDataset:
    """Photos in class folders, each with one box as large as the photo.

    Raises LabelError for folders that are not one per class, and PhotoError for photos that cannot be read.
    """
    root = unpacked(root)
    if not is_folder(root):
        raise LabelError(f"{root}: no such folder. {_EXPECTED}")
    files_of_others, outputs = split_outputs(visible_files(root))
    files = [PurePosixPath(file.relative_to(root).as_posix()) for file in files_of_others]
    photos = [file for file in files if file.suffix.lower() in PHOTO_SUFFIXES]
    others = [file for file in files if file.suffix.lower() not in PHOTO_SUFFIXES]
    layout = _find_layout(root, photos)
    items = _items(photos, layout)
    if not items:
        raise LabelError(f"{root}: no photo lies in a class folder. {_EXPECTED}")
    outside = [str(photo) for photo in photos if str(photo) not in items]
    names = sorted(items)
    chosen = select(PhotoList.of(root, names, [items[name].split for name in names]))
    sizes, bad_photos = check_photos(root, names, on_bad_photos, set(chosen.files.tolist()))
    chosen = chosen.without([names[index] for index in bad_photos], note_on_bad_photos(bad_photos))
    good = [index for index in range(len(names)) if index not in bad_photos]
    items = {names[index]: items[names[index]] for index in good}
    notes = (
        *format_note(f"left out: {format_count(len(outside), 'photo')} in no class folder", outside),
        *note_on_unused_files(str(file) for file in others if not is_split_file(root / file)),
        *notes_on_class_names(folder for photo in photos if (folder := layout.class_folder(photo))),
        *_note_on_empty_folders(root, layout, photos),
        *_note_on_copies(root, items),
        *note_on_outputs(outputs),
    )
    return chosen.select_from(_dataset(root, items, sizes[good], notes))


# ---------------------------------------------------------------- folders


@dataclass(frozen=True, slots=True)
class _Item:
    """The class and the split ("" if none) of a photo."""

    class_name: str
    split: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """splits: the split of each top folder; empty if the top folders are classes."""

    splits: Mapping[str, str]

    def class_folder(self, photo: PurePosixPath) -> str | None:
        """The name of the class folder that a photo lies in; None if it lies in none."""
        folders = photo.parts[1:-1] if self.splits else photo.parts[:-1]
        return folders[0] if folders else None

    def item(self, photo: PurePosixPath) -> _Item | None:
        """The class and split of a photo; None if it lies in no class folder."""
        folder = self.class_folder(photo)
        return _Item(class_name(folder), self.splits.get(photo.parts[0], "")) if folder else None


def _find_layout(root: Path, photos: Iterable[PurePosixPath]) -> _Layout:
    """Whether the top folders are splits or classes. Raises LabelError if they are mixed."""
    paths = [photo.parts[:-1] for photo in photos if len(photo.parts) > 1]
    tops = sorted({folders[0] for folders in paths})
    splits = {top: split for top in tops if (split := _split_named(top))}
    if len(splits) == len(tops):
        return _Layout(splits)
    with_photos = {folders[0] for folders in paths if len(folders) == 1}  # a class may be called "train"
    split_folders = sorted(splits.keys() - with_photos)
    if split_folders:
        others = [str(root / top) for top in tops if top not in split_folders]
        remedy = (
            f"Move their photos to a class folder of a split, or move {', '.join(split_folders)} "
            f"out of {root}."
        )
        raise LabelError(format_errors("Folders beside those named after splits", others, remedy))
    return _Layout({})


def _split_named(folder: str) -> str | None:
    """The split that a folder is named after: "train", "Valid". "test_tubes" is a class."""
    return split_from_name(folder) if folder.isalpha() else None


def _items(photos: Sequence[PurePosixPath], layout: _Layout) -> dict[str, _Item]:
    """The photos that lie in class folders, by path."""
    items = ((str(photo), layout.item(photo)) for photo in photos)
    return {file: item for file, item in items if item is not None}


def _dataset(
    root: Path, items: Mapping[str, _Item], sizes: NDArray[np.int32], notes: tuple[str, ...]
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


# ---------------------------------------------------------------- checks and notes


def _check_two_classes(dataset: ClassificationDataset, path: Path) -> None:
    shown = [dataset.class_names[label] for label in np.unique(dataset.labels)]
    if len(shown) < 2:
        found = f"one class, {shown[0]}" if shown else "no class"
        raise LabelError(f"{path}: a classifier needs at least two classes, found {found}. Add another.")


def _note_on_empty_folders(root: Path, layout: _Layout, photos: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Folders in the place of a class folder, but without photos."""
    parents = [root / top for top in layout.splits] or [root]
    folders = {folder.name for parent in parents for folder in parent.iterdir() if folder.is_dir()}
    used = {layout.class_folder(photo) for photo in photos}
    empty = sorted(name for name in folders - used if not name.startswith("."))
    return format_note(f"{format_count(len(empty), 'folder')} without photos", empty)


def _note_on_copies(root: Path, items: Mapping[str, _Item]) -> tuple[str, ...]:
    """Photos that occur several times. Raises LabelError if copies lie in different classes."""
    groups = identical_files(root, items)
    ambiguous = [" = ".join(group) for group in groups if len({items[f].class_name for f in group}) > 1]
    if ambiguous:
        remedy = "Each photo has one class: keep it in one of the folders."
        raise LabelError(format_errors(f"{root}: photos in several classes", ambiguous, remedy))
    copies = [" = ".join(group) for group in groups]
    return format_note(f"repeated: {format_count(len(copies), 'photo')}, possibly in several splits", copies)

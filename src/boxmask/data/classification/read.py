"""From folders of photos, one a class, or from a detection set, to things with one class each.

CLASS/photo.jpg                                 photos may lie deeper; the uppermost folder is the class
train|val|test/CLASS/photo.jpg                  the set's own splits
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from boxmask.data.classification.dataset import CONTEXT, NO_CONTEXT, ClassificationDataset, crop_objects
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.detection.read import has_detection_labels, read_unsplit_detection
from boxmask.data.formats.labels import LabeledPhoto
from boxmask.data.formats.source import split_in_name
from boxmask.data.messages import format_errors, format_note
from boxmask.data.photo_sizes import read_sizes
from boxmask.data.split import apply_split_file, draw_missing_splits
from boxmask.errors import LabelError
from boxmask.photos.find import PHOTO_ENDINGS
from boxmask.photos.folders import visible_files

_LAYOUT = "Give a folder with one folder of photos for each class, or a set with labeled boxes."


def read_classification(
    path: str | Path,
    *,
    split_seed: int = 0,
    split_file: str | Path | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    context: tuple[int, int] = CONTEXT,
) -> ClassificationDataset:
    """Things with one class each: the photos of class folders, or the objects of a detection set, cut out.

    Splits are those of `split_file`, else the set's own, completed by a draw as for detection sets: photo by
    photo, and with every class in train as far as possible. What was noticed is in the set's `notes`.
    context: see `crop_objects`; of detection sets only
    Raises LabelError where there are fewer than two classes, or as `read_unsplit_classification` does.
    """
    whole = read_unsplit_classification(path, on_bad_boxes, context)
    _require_two_classes(whole, Path(path))
    photos = (
        apply_split_file(whole.photos, split_file)
        if split_file
        else draw_missing_splits(whole.photos, split_seed)
    )
    return whole.with_photos(photos)


def read_unsplit_classification(
    path: str | Path, on_bad_boxes: OnBadBoxes | None = None, context: tuple[int, int] = CONTEXT
) -> ClassificationDataset:
    """The same, with only the splits that the set itself speaks of, and with any number of classes.

    Raises LabelError for folders that are not one a class, for a photo that lies in two classes, and for what
    `read_detection` refuses; PhotoError for photos that cannot be read.
    """
    if has_detection_labels(Path(path)):
        return crop_objects(read_unsplit_detection(path, on_bad_boxes), context)
    return crop_objects(read_class_folders(Path(path)), NO_CONTEXT)


def read_class_folders(root: Path) -> DetectionDataset:
    """Photos in class folders, each with one box around all of it; splits are "" where there are none."""
    if not root.is_dir():
        raise LabelError(f"{root}: there is no such folder. {_LAYOUT}")
    files = [file.relative_to(root) for file in visible_files(root)]
    photos = [PurePosixPath(file) for file in files if file.suffix.lower() in PHOTO_ENDINGS]
    others = [file.as_posix() for file in files if file.suffix.lower() not in PHOTO_ENDINGS]
    layout = _layout(root, photos)
    found = _placed(photos, layout)
    if not found:
        raise LabelError(f"{root}: no photo lies in a folder of its class. {_LAYOUT}")
    beside = [str(file) for file in photos if str(file) not in found]
    classes = tuple(sorted({name for name, _ in found.values()}))
    return _index(
        root,
        found,
        classes,
        (
            *format_note(f"{len(beside)} photos lie in no class's folder and are left out", beside),
            *format_note(f"{len(others)} files are no photos, by their ending, and are left out", others),
            *_note_on_empty(root, layout, classes),
            *_note_on_copies(root, found),
        ),
    )


# ---------------------------------------------------------------- folders


@dataclass(frozen=True, slots=True)
class _Layout:
    """splits: the split that each uppermost folder stands for; none where these are the classes."""

    splits: Mapping[str, str]

    def place(self, file: PurePosixPath) -> tuple[str, str] | None:
        """Class and split of a photo, or None for one that lies beside the class folders."""
        folders = file.parts[:-1]
        split = self.splits.get(folders[0], "") if folders else ""
        names = folders[1:] if self.splits else folders
        return (names[0], split) if names else None


def _layout(root: Path, photos: Iterable[PurePosixPath]) -> _Layout:
    """Whether the uppermost folders are splits. Raises LabelError where only some seem to be."""
    folders = [file.parts[:-1] for file in photos if len(file.parts) > 1]
    tops = sorted({names[0] for names in folders})
    splits = {top: split for top in tops if (split := _split_called(top))}
    if len(splits) == len(tops):
        return _Layout(splits)
    deep = splits.keys() - {names[0] for names in folders if len(names) == 1}  # a class may be called "train"
    if deep:
        rest = [str(root / top) for top in tops if top not in deep]
        remedy = f"Put their photos into a class of a split, or take {', '.join(sorted(deep))} out of {root}."
        raise LabelError(format_errors("Folders beside those that are named after splits", rest, remedy))
    return _Layout({})


def _split_called(folder: str) -> str | None:
    """The split that a folder is named after: "train", "Valid"; "test_tubes" is none, but a class."""
    return split_in_name(folder) if folder.isalpha() else None


def _placed(photos: Sequence[PurePosixPath], layout: _Layout) -> dict[str, tuple[str, str]]:
    """Class and split of each photo that lies in a class's folder, by its name."""
    places = ((str(file), layout.place(file)) for file in photos)
    return {file: place for file, place in places if place is not None}


def _index(
    root: Path, found: Mapping[str, tuple[str, str]], classes: tuple[str, ...], notes: tuple[str, ...]
) -> DetectionDataset:
    files = sorted(found)
    sizes = read_sizes(root, [LabeledPhoto(file, file) for file in files])
    boxes = np.concatenate([np.zeros_like(sizes), sizes[:, ::-1]], axis=1).astype(np.float32)
    return DetectionDataset(
        root=root,
        class_names=classes,
        files=np.array(files),
        image_ids=np.arange(len(files)),
        sizes=sizes,
        splits=np.array([found[file][1] for file in files], dtype="<U5"),
        offsets=np.arange(len(files) + 1),
        boxes=boxes,
        labels=np.array([classes.index(found[file][0]) for file in files], dtype=np.int64),
        areas=boxes[:, 2] * boxes[:, 3],
        crowd=np.zeros(len(files), dtype=np.bool_),
        difficult=np.zeros(len(files), dtype=np.bool_),
        notes=notes,
    )


# ---------------------------------------------------------------- what is odd


def _require_two_classes(items: ClassificationDataset, path: Path) -> None:
    shown = [items.class_names[label] for label in np.unique(items.labels)]
    if len(shown) < 2:
        found = f"one class, {shown[0]}" if shown else "no class"
        raise LabelError(f"{path}: a classifier tells classes apart, and there is {found}. Add another.")


def _note_on_empty(root: Path, layout: _Layout, classes: Sequence[str]) -> tuple[str, ...]:
    """Folders where a class could be, but no photo is."""
    above = [root / top for top in layout.splits] or [root]
    folders = {folder for top in above for folder in top.iterdir() if folder.is_dir()}
    empty = sorted({f.name for f in folders if not f.name.startswith(".") and f.name not in classes})
    return format_note(f"{len(empty)} folders hold no photo and make no class", empty)


def _note_on_copies(root: Path, found: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    """A note on photos that are there several times. Raises LabelError where they are in several classes."""
    groups = _copies(root, found)
    torn = [" = ".join(group) for group in groups if len({found[file][0] for file in group}) > 1]
    if torn:
        remedy = "A photo has one class here: keep it in one of them."
        raise LabelError(format_errors(f"{root}: photos that lie in several classes", torn, remedy))
    said = [" = ".join(group) for group in groups]
    return format_note(f"{len(said)} photos are there more than once, and may be in several splits", said)


def _copies(root: Path, files: Iterable[str]) -> list[list[str]]:
    """Groups of files with the same content; only those of the same length are read."""
    by_length: dict[int, list[str]] = defaultdict(list)
    for file in files:
        path = root / file
        if path.is_file():  # a link that leads nowhere is reported where it is opened
            by_length[path.stat().st_size].append(file)
    by_content: dict[bytes, list[str]] = defaultdict(list)
    for group in by_length.values():
        for file in group if len(group) > 1 else ():
            by_content[hashlib.sha256((root / file).read_bytes()).digest()].append(file)
    return [group for group in by_content.values() if len(group) > 1]

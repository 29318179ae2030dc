"""Write YOLO: photos in `images/SPLIT/`, label files in `labels/SPLIT/`, and a data.yaml.

An object with an outline becomes a polygon, any other one a box. Numbers are fractions of the photo as exact
as a float64. They are kept between 0 and 1, because Ultralytics leaves out photos whose labels are not.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import yaml

from boxmask.data.contract import SPLITS
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.losses import note_unheld_classes, note_unheld_marks
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.outline_losses import OTHER_BOXES, ring_of
from boxmask.data.outlines import Points
from boxmask.masks import Size

_NO_SPLITS = (
    "data.yaml names no splits, because the data set has none; trainers other than boxmask need train and val"
)
_UNSPLIT = "photos in no split are not named in data.yaml"
_CLIPPED = "boxes and outlines that reach beyond the photo are clipped to it"


class YoloWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "yolo"

    def photo_file(self, file: str, split: str) -> str:
        """images/train/a.jpg. Deeper folders "images" are renamed: trainers replace them by "labels"."""
        *folders, name = file.split("/")
        safe = [re.sub(r"^(images_*)$", r"\1_", folder, flags=re.IGNORECASE) for folder in folders]
        return posixpath.join("images", split, *safe, name)

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write data.yaml, and a label file per photo; none for photos without a label."""
        number_of = {name: number for number, name in enumerate(class_names)}
        files, splits, unsplit = [], set[str](), list[str]()
        for photo in photos:
            if photo.is_labeled:
                path = folder / _label_file(self.photo_file(photo.file, photo.split))
                _write_objects(path, photo, number_of, losses)
                files.append(path)
            note_unheld_marks(photo, losses)
            if photo.split:
                splits.add(photo.split)
            else:
                unsplit.append(photo.file)
        _note_splits(splits, unsplit, losses)
        note_unheld_classes(class_names, class_names, losses)
        return [_write_description(folder / "data.yaml", splits, class_names), *files]


def _label_file(photo: str) -> str:
    """labels/train/a.txt for images/train/a.jpg."""
    return f"labels/{posixpath.splitext(photo)[0].removeprefix('images/')}.txt"


def _write_objects(path: Path, photo: PhotoToWrite, number_of: Mapping[str, int], losses: Losses) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        object_line(number_of[labeled.class_name], labeled, photo, losses) + "\n" for labeled in photo.objects
    ]
    with path.open("x", encoding="ascii", newline="\n") as file:
        file.writelines(lines)


def _note_splits(splits: set[str], unsplit: list[str], losses: Losses) -> None:
    if not splits:
        losses.add(_NO_SPLITS, "")
        return
    for file in unsplit:
        losses.add(_UNSPLIT, file)


def _write_description(path: Path, splits: set[str], class_names: ClassNames) -> Path:
    content = {
        "path": ".",
        **{split: f"images/{split}" for split in SPLITS if split in splits},
        "names": dict(enumerate(class_names)),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=2**31)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


# ---------------------------------------------------------------- objects


def object_line(number: int, labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> str:
    """The line of an object without its end: its class number, then a polygon or a box."""
    outline = labeled.outline
    ring = None if outline is None else ring_of(outline, photo.size, losses, photo.file)
    values = (
        _box_values(labeled, photo, losses) if ring is None else _ring_values(ring, labeled, photo, losses)
    )
    return " ".join([str(number), *(str(short_number(value)) for value in values)])


def _box_values(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> Iterator[float]:
    """Center, width and height as fractions. A box outside its photo stays outside, where it is noticed."""
    height, width = photo.size
    corners = np.array(labeled.box, dtype=np.float64).reshape(2, 2)
    if (corners[0] < _edges(photo.size)).all() and (corners[1] > 0).all():
        corners = _clip(corners, photo, losses)
    (x1, y1), (x2, y2) = corners.tolist()
    yield from ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)


def _ring_values(ring: Points, labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> list[float]:
    """x and y of all points as fractions."""
    points = _clip(ring, photo, losses)
    bounds = np.concatenate([points.min(axis=0), points.max(axis=0)])
    if np.abs(bounds - np.clip(labeled.box, 0, np.tile(_edges(photo.size), 2))).max() > 1:
        losses.add(OTHER_BOXES, photo.file)
    values: list[float] = (points / _edges(photo.size)).ravel().tolist()
    return values


def _clip(points: Points, photo: PhotoToWrite, losses: Losses) -> Points:
    clipped = np.clip(points, 0, _edges(photo.size))
    if (clipped != points).any():
        losses.add(_CLIPPED, photo.file)
    return clipped


def _edges(size: Size) -> Points:
    """Width and height."""
    return np.array(size[::-1], dtype=np.float64)

"""Write VIA 2: a project in JSON, or CSV, in a folder of each split beside its photos.

    train/a.jpg  train/via_project.json        photos/b.jpg  photos/via_project.json (photos in no split)

The class is the region attribute "class", a list to choose from. Boxes are rectangles; other outlines are
circles, ellipses and polygons.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, Owner, PhotoToWrite
from boxmask.data.formats.json_writing import is_json, json_line
from boxmask.data.formats.losses import note_unheld_classes
from boxmask.data.formats.numbers import extent, short_number
from boxmask.data.formats.outline_losses import ROTATED_BOXES, note_other_box, ring_of
from boxmask.data.formats.via.csv_file import HEADER
from boxmask.data.formats.via.settings import project
from boxmask.data.outlines import Ellipse, Points, RotatedBox

_CLASS = "class"


class ViaWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "via"
    _FILE = "via_project.json"
    _LISTS_CLASSES = True

    def photo_file(self, file: str, split: str) -> str:
        """A folder per split, and one for photos in no split."""
        return f"{split or 'photos'}/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one file per split."""
        splits: dict[str, list[dict[str, Any]]] = {}
        used: set[str] = set()
        for photo in photos:
            file = folder / self.photo_file(photo.file, photo.split)
            size = file.stat().st_size if file.is_file() else -1
            splits.setdefault(photo.split, []).append(_entry(photo, size, losses))
            used.update(labeled.class_name for labeled in photo.objects)
        note_unheld_classes(class_names, class_names if self._LISTS_CLASSES else used, losses)
        files = []
        for split, entries in splits.items():
            files.append(folder / self.photo_file(self._FILE, split))
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            files[-1].write_text(self._text(entries, class_names), encoding="utf-8", newline="\n")
        return files

    def _text(self, entries: list[dict[str, Any]], class_names: ClassNames) -> str:
        return project(entries, _CLASS, class_names)


class ViaCsvWriter(ViaWriter):
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "via-csv"
    _FILE = "via_annotations.csv"
    _LISTS_CLASSES = False

    def _text(self, entries: list[dict[str, Any]], class_names: ClassNames) -> str:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(HEADER)
        for entry in entries:
            writer.writerows(_rows(entry))
        return buffer.getvalue()


def _rows(entry: dict[str, Any]) -> Iterator[list[object]]:
    """One row per region, and one for a photo without regions."""
    regions = entry["regions"]
    of_photo = [entry["filename"], entry["size"], json_line(entry["file_attributes"]), len(regions)]
    for number, region in enumerate(regions):
        yield [
            *of_photo,
            number,
            json_line(region["shape_attributes"]),
            json_line(region["region_attributes"]),
        ]
    if not regions:
        yield [*of_photo, 0, "{}", "{}"]


# ---------------------------------------------------------------- photos and regions


def _entry(photo: PhotoToWrite, num_bytes: int, losses: Losses) -> dict[str, Any]:
    return {
        "filename": photo.file,
        "size": num_bytes,
        "regions": [
            {
                "shape_attributes": _shape(labeled, photo, losses),
                "region_attributes": {
                    _CLASS: labeled.class_name,
                    **_values(labeled.attributes_and_marks, "objects", photo, losses, (_CLASS,)),
                },
            }
            for labeled in photo.objects
        ],
        "file_attributes": _values(photo.attributes, "photos", photo, losses, ()),
    }


def _values(
    attributes: Mapping[str, object],
    owner: Owner,
    photo: PhotoToWrite,
    losses: Losses,
    reserved: tuple[str, ...],
) -> dict[str, object]:
    """The attributes that VIA holds: texts, numbers, true and false."""
    values: dict[str, object] = {}
    for name, value in attributes.items():
        if isinstance(value, str | int | float) and is_json(value) and name not in reserved:
            values[name] = value
        else:
            losses.add_attribute(name, owner, photo.file)
    return values


def _shape(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> dict[str, Any]:
    """A rectangle for a box, else a circle, an ellipse or a polygon."""
    outline = labeled.outline
    note_other_box(labeled, photo.size, losses, photo.file)
    if isinstance(outline, Ellipse):
        return _ellipse(outline)
    ring = None if outline is None else ring_of(outline, photo.size, losses, photo.file)
    if ring is None:
        x1, y1, x2, y2 = labeled.box
        names, values = ("x", "y", "width", "height"), (x1, y1, extent(x1, x2), extent(y1, y2))
        return {"name": "rect", **dict(zip(names, map(short_number, values), strict=True))}
    if isinstance(outline, RotatedBox):
        losses.add(ROTATED_BOXES, photo.file)
    return _polygon(ring)


def _polygon(points: Points) -> dict[str, Any]:
    xs, ys = points.T.tolist()
    return {
        "name": "polygon",
        "all_points_x": [short_number(x) for x in xs],
        "all_points_y": [short_number(y) for y in ys],
    }


def _ellipse(outline: Ellipse) -> dict[str, Any]:
    (x, y), (radius_x, radius_y) = outline.center, outline.radii
    center = {"cx": short_number(x), "cy": short_number(y)}
    if radius_x == radius_y:
        return {"name": "circle", **center, "r": short_number(radius_x)}
    radii = {"rx": short_number(radius_x), "ry": short_number(radius_y)}
    return {"name": "ellipse", **center, **radii, "theta": short_number(math.radians(outline.rotation))}


WRITER = ViaWriter()
CSV_WRITER = ViaCsvWriter()

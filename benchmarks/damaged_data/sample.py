"""A data set in memory, and where each part of it was written."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Points = list[tuple[float, float]]
Size = tuple[int, int]


@dataclass(eq=False)
class Object:
    """An object in a photo.

    box:     x1, y1, x2, y2 in continuous pixels
    outline: a polygon in the same pixels
    holes:   as the outline
    shape:   "box" or "polygon", for formats that hold one of them; "point" or "line" through the outline
    """

    name: str
    box: list[float]
    outline: Points
    holes: list[Points] = field(default_factory=list)
    shape: str = "box"

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    def move_to(self, box: list[float]) -> None:
        """Change the box, and stretch the outline with it."""
        (x1, y1, x2, y2), (u1, v1, u2, v2) = self.box, box
        horizontal, vertical = (u2 - u1) / (x2 - x1), (v2 - v1) / (y2 - y1)

        def moved(points: Points) -> Points:
            return [(u1 + (x - x1) * horizontal, v1 + (y - y1) * vertical) for x, y in points]

        self.outline, self.holes = moved(self.outline), [moved(hole) for hole in self.holes]
        self.box = list(box)


@dataclass(eq=False)
class Photo:
    """A photo.

    size:     (height, width) of the file
    declared: the size in the labels, if it is another
    source:   the file to link
    content:  the bytes to write instead
    name:     the name in the labels, if it is another than that of the file
    label_to: the split that the labels name, if the photo lies in the folder of another
    """

    stem: str
    split: str
    size: Size
    objects: list[Object]
    source: Path
    suffix: str = ".jpg"
    content: bytes | None = None
    declared: Size | None = None
    name: str = ""

    @property
    def file_name(self) -> str:
        return f"{self.stem}{self.suffix}"

    @property
    def label_name(self) -> str:
        """The name that the labels give."""
        return self.name or self.file_name

    @property
    def label_size(self) -> Size:
        """The size that the labels declare."""
        return self.declared or self.size

    def copied(self, stem: str) -> Photo:
        """The same photo with the same objects under another name."""
        twin = copy.deepcopy(self)
        twin.stem = stem
        return twin


@dataclass
class Sample:
    """A data set: its classes, in the order of their indices, and its photos."""

    class_names: list[str]
    photos: list[Photo]

    @property
    def objects(self) -> list[Object]:
        return [thing for photo in self.photos for thing in photo.objects]

    def of_split(self, split: str) -> list[Photo]:
        return [photo for photo in self.photos if photo.split == split]

    def photo_of(self, thing: Object) -> Photo:
        return next(photo for photo in self.photos if thing in photo.objects)

    def index(self, name: str) -> int:
        """The index of a class, which is added if there is none of this name."""
        if name not in self.class_names:
            self.class_names.append(name)
        return self.class_names.index(name)


@dataclass(frozen=True)
class Place:
    """A place in the labels.

    file:  relative to the data set
    first: of its lines, counted from 1; None for the whole file
    last:  of its lines
    entry: the id or number of the entry, which says as much as the lines
    """

    file: str
    first: int | None = None
    last: int | None = None
    entry: str = ""


class Writer(Protocol):
    """Writes a sample in a format."""

    NAME: str

    def photo_file(self, photo: Photo) -> str:
        """Where a photo lies, relative to the data set."""

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        """Write the labels. Returns where each object and photo, and each class by name, is in them."""

"""What a label format offers: a module or package in `formats/` with these functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

from boxmask.data.findings import Box, Findings
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.source import Source
from boxmask.data.outlines import Outline
from boxmask.masks import Size


class Format(Protocol):
    """Reads a label format."""

    NAME: str
    """In words, for messages: "Pascal VOC (a folder with one XML file per photo)"."""

    def recognize(self, source: Source) -> list[str]:
        """The label files in this format; none if the source has another one."""

    def unreadable(self, source: Source) -> list[str]:
        """A message on each file that cannot be read and so may be in this format."""

    def read(self, source: Source, files: Sequence[str], findings: Findings) -> Labels:
        """The labels in these files.

        Files and entries that cannot be read become findings and are left out of the labels.
        """


Owner: TypeAlias = Literal["objects", "photos", "classes"]
"""What has attributes."""


@dataclass(frozen=True, slots=True)
class ObjectToWrite:
    """One object to write.

    box:        x1, y1, x2, y2 in continuous pixels of the photo as shown
    outline:    in the same pixels; None if the object has only a box
    attributes: see `Attributes`
    number:     of the object in the data set, from 1, for formats that number objects; None if the writer
                is to choose it
    """

    class_name: str
    box: Box
    outline: Outline | None = None
    crowd: bool = False
    difficult: bool = False
    attributes: Mapping[str, object] = field(default_factory=dict)
    number: int | None = None

    @property
    def attributes_and_marks(self) -> dict[str, object]:
        """The attributes, and the marks as attributes, for formats without marks: "iscrowd", "difficult"."""
        marks = {"iscrowd": self.crowd, "difficult": self.difficult}
        return {**self.attributes, **{name: True for name, is_set in marks.items() if is_set}}

    @staticmethod
    def of(labels: Labels, row: int, outline: Outline | None) -> ObjectToWrite:
        """The object in a row of labels in pixels."""
        x1, y1, x2, y2 = labels.boxes[row].tolist()
        return ObjectToWrite(
            class_name=labels.class_names[labels.labels[row]],
            box=(x1, y1, x2, y2),
            outline=outline,
            crowd=bool(labels.crowd[row]),
            difficult=bool(labels.difficult[row]),
            attributes=labels.attributes.objects.get(row, {}),
        )


@dataclass(frozen=True, slots=True)
class PhotoToWrite:
    """One photo to write, with its objects.

    path:     the photo to copy
    file:     its name, with folders and "/". No other photo has it, not even in another case or with another
              suffix. Folders that only tell the layout or the split of the data set that was read, such as
              "images/train", are left out where possible.
    size:     (height, width) as shown
    split:    "train", "val", "test" or ""
    image_id: the id in the labels that were read, if they had one
    is_labeled: False for a photo without a label, see `PhotoEntry`
    size_known: False if `size` is only as large as the boxes need. Such a size must not be written.
    """

    path: Path
    file: str
    size: Size
    split: str
    objects: tuple[ObjectToWrite, ...]
    attributes: Mapping[str, object] = field(default_factory=dict)
    image_id: int | None = None
    size_known: bool = True
    is_labeled: bool = True

    @property
    def size_fields(self) -> dict[str, int]:
        """Width and height to write; empty if the size is not known."""
        height, width = self.size
        return {"width": width, "height": height} if self.size_known else {}


class ClassNames(tuple[str, ...]):
    """The names of all classes, with and without objects.

    attributes: what the labels say about classes beside their names, see `Attributes`
    """

    attributes: Mapping[str, Mapping[str, object]] = MappingProxyType({})

    @classmethod
    def of(cls, names: Iterable[str], attributes: Mapping[str, Mapping[str, object]]) -> ClassNames:
        """Names with attributes."""
        class_names = cls(names)
        class_names.attributes = attributes
        return class_names


class Losses:
    """Counts what a format cannot hold."""

    def __init__(self) -> None:
        self._photos: dict[str, list[str]] = {}

    def add(self, what: str, photo: str) -> None:
        """Note one loss, such as "crowd regions are written as objects", in a photo."""
        self._photos.setdefault(what, []).append(photo)

    def add_attribute(self, name: str, owner: Owner, photo: str = "") -> None:
        """Note that an attribute is not written, in a photo or in no photo."""
        self.add(f"the attribute {name} of {owner} is not written", photo)

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        """What is lost, and the photo of each case."""
        return iter(self._photos.items())

    def listed(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """All losses, with the photos of each."""
        return tuple((what, tuple(photos)) for what, photos in self)


class Writer(Protocol):
    """Writes a label format. The files that it writes, and its photos, are a data set of their own."""

    NAME: str
    """On the command line: "yolo"."""

    def photo_file(self, file: str, split: str) -> str:
        """Where a photo lies in the data set that is written: "images/train/a.jpg"."""

    def write(
        self,
        photos: Iterable[PhotoToWrite],
        class_names: ClassNames,
        folder: Path,
        losses: Losses,
    ) -> list[Path]:
        """Write the labels of photos into a folder, where the photos lie as `photo_file` says.

        The folder is new, and gets its name once everything is written, so files need not be written
        atomically. They must not be recorded as outputs (`boxmask.outputs`), which are not read as labels.
        Photos come one by one, sorted by name. A photo is in the folder when it comes, if photos are copied.

        Returns the files. What the format cannot hold is added to `losses`, with the `file` of the photo.
        """

"""The content of one label file of Pascal VOC, as both of its parsers return it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from boxmask.data.formats.labels import declared_side

CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = {"1": True, "true": True, "0": False, "false": False, "unspecified": False, "": False}
"""The texts of <difficult>, <truncated> and <occluded>, in lower case."""

READ_TAGS = frozenset(("folder", "filename", "size", "segmented", "object"))
"""The elements of an annotation that are read, or written anew. Others, such as <path>, are not kept."""

_UNSET = ("", "0", "Unspecified", "unspecified")


@dataclass(frozen=True, slots=True)
class VocHeader:
    """What a label file says about its photo.

    file:          relative to the root
    filename:      the photo's name as written, "" if there is none
    line:          of that name
    declared_size: (height, width) as written, if both are whole numbers
    unkept:        the tags of other elements that say something, sorted
    """

    file: str
    filename: str
    line: int
    declared_size: tuple[int, int] | None
    unkept: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The name of the file without its suffix, which split files use."""
        return posixpath.splitext(posixpath.basename(self.file))[0]


@dataclass(slots=True)
class VocObjects:
    """The objects of one label file; all lists have one entry per object.

    names:      of their classes
    corners:    xmin, ymin, xmax, ymax as written
    attributes: by object; see `Attributes`
    lines:      of the objects; empty if the file was parsed without
    unkept:     the tags of elements with elements inside, such as <part>, which are no attributes
    """

    names: list[str] = field(default_factory=list)
    corners: list[list[float]] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)
    attributes: dict[int, dict[str, object]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    unkept: set[str] = field(default_factory=set)

    def add_attributes(self, fields: dict[str, str]) -> None:
        """Keep what the next object says beside class, box and difficult, unless it says nothing."""
        attributes: dict[str, object] = {tag: text for tag, text in fields.items() if text not in _UNSET}
        for tag in ("truncated", "occluded"):
            if tag in attributes:
                attributes[tag] = FLAGS.get(fields[tag].lower(), fields[tag])
        if attributes:
            self.attributes[len(self.names)] = attributes


def declared_size(height: str, width: str) -> tuple[int, int] | None:
    """(height, width), None if one of them is missing or no whole number."""
    sides = declared_side(height), declared_side(width)
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])

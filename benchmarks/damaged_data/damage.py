"""The table of damages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from damaged_data.draft import Draft

Build = Callable[[Draft], None]

BOXES = ("coco", "voc", "yolo", "labelme", "via", "cvat", "label-studio", "csv", "createml")
OUTLINES = ("coco", "yolo", "labelme", "via", "cvat", "label-studio")
WITH_SPLITS = tuple(name for name in BOXES if name != "label-studio")
WITH_SIZES = ("coco", "voc", "labelme", "cvat", "label-studio", "csv")
PIXELS = ("coco", "voc", "labelme", "via", "cvat", "csv", "createml")
"""The formats that write coordinates in pixels."""

ALL_FORMATS = (*BOXES, "label-maps", "class-folders")


def write(draft: Draft) -> None:
    """Write a data set as it is: the sound twin of most damages."""
    draft.write()


@dataclass(frozen=True)
class Damage:
    """A damage, in each format that it can occur in.

    build: damages a draft, writes it, and says what must be found
    twin:  writes a sound data set that looks similar
    """

    name: str
    formats: tuple[str, ...]
    build: Build
    twin: Build


DAMAGES: list[Damage] = []


def damage(name: str, formats: Sequence[str], twin: Build = write) -> Callable[[Build], Build]:
    """Add a function to the table of damages."""

    def add(build: Build) -> Build:
        DAMAGES.append(Damage(name, tuple(formats), build, twin))
        return build

    return add

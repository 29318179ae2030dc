"""What most label formats cannot hold, in the same words for all of them."""

from __future__ import annotations

from collections.abc import Collection

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite

CROWD = "crowd regions are written as objects"
DIFFICULT = "objects marked as difficult are written without this mark"
HOLES = "holes in outlines are filled"
OUTLINES = "outlines are not written, only boxes"
SEVERAL_PARTS = "outlines of several parts are joined by thin lines"
SPLITS = "splits are not written"
WITHOUT_OBJECTS = "photos without objects are not named in the labels"


def note_unheld_marks(
    photo: PhotoToWrite,
    losses: Losses,
    *,
    crowd: bool = False,
    difficult: bool = False,
    attributes: Collection[str] = (),
    photo_attributes: Collection[str] = (),
) -> None:
    """Note the marks and attributes of a photo and its objects that a format does not hold.

    crowd, difficult:             whether the format holds these marks
    attributes, photo_attributes: the attributes that it holds
    """
    for name in photo.attributes:
        if name not in photo_attributes:
            losses.add(f"the attribute {name} of photos is not written", photo.file)
    for labeled in photo.objects:
        for what in _unheld(labeled, crowd, difficult, attributes):
            losses.add(what, photo.file)


def _unheld(labeled: ObjectToWrite, crowd: bool, difficult: bool, attributes: Collection[str]) -> list[str]:
    marks = [*([CROWD] if labeled.crowd and not crowd else [])]
    marks += [DIFFICULT] if labeled.difficult and not difficult else []
    names = [name for name in labeled.attributes if name not in attributes]
    return marks + [f"the attribute {name} of objects is not written" for name in names]


def note_boxes_only(photo: PhotoToWrite, losses: Losses) -> None:
    """Note outlines, for formats that hold only boxes."""
    for labeled in photo.objects:
        if labeled.outline is not None:
            losses.add(OUTLINES, photo.file)


def note_unheld_classes(class_names: ClassNames, named: Collection[str], losses: Losses) -> None:
    """Note classes that a format does not name, and what it does not hold about any class.

    named: the classes that the written labels name
    """
    if others := [name for name in class_names if name not in named]:
        losses.add(f"classes without objects are not named in the labels: {', '.join(others)}", "")
    for name in dict.fromkeys(name for fields in class_names.attributes.values() for name in fields):
        losses.add(f"the attribute {name} of classes is not written", "")

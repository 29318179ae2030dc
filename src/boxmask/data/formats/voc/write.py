"""Write Pascal VOC: JPEGImages/, Annotations/, lists of the splits in ImageSets/, and masks of the outlines.

The masks are images of VOC's form, with its colors: SegmentationObject/ holds the number of each object, in
the order of the label file, and SegmentationClass/ the number of its class. labelmap.txt names the
classes and their colors, as CVAT and Datumaro write it.
"""

from __future__ import annotations

import math
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from boxmask.data.findings import Box
from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.losses import CROWD, note_unheld_classes
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.voc.write_lists import write_lists
from boxmask.data.formats.voc.write_masks import MaskFiles, write_labelmap_txt
from boxmask.data.formats.xml_writing import is_tag, xml_text

_NARROW = "boxes of one pixel or less are widened, because programs take them as empty in VOC"
_WIDENED = 1 / 64
"""xmax − xmin of a box that is at most one pixel wide. VOC's width is one more."""

_KNOWN_TAGS = ("name", "difficult", "bndbox", "part", "actions", "point")


class VocWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "voc"

    def photo_file(self, file: str, split: str) -> str:
        """All photos lie in JPEGImages/."""
        return f"JPEGImages/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one XML file per photo, and the lists of the splits."""
        files: list[Path] = []
        splits: dict[str, list[str]] = defaultdict(list)
        masks, named = MaskFiles(folder, class_names), set[str]()
        for photo in photos:
            path = folder / "Annotations" / f"{posixpath.splitext(photo.file)[0]}.xml"
            path.parent.mkdir(parents=True, exist_ok=True)
            has_masks = masks.write(photo, losses)
            of_photo = posixpath.join("JPEGImages", posixpath.dirname(photo.file)).rstrip("/")
            path.write_text(annotation_text(photo, of_photo, losses, has_masks), encoding="utf-8")
            splits[photo.split].append(photo.file)
            files.append(path)
            named |= {labeled.class_name for labeled in photo.objects}
        note_unheld_classes(class_names, named, losses)
        lists = write_lists(folder, splits, masks.photos)
        return [*files, *masks.files, *lists, write_labelmap_txt(class_names, folder)]


def annotation_text(photo: PhotoToWrite, folder: str, losses: Losses, has_masks: bool = False) -> str:
    """The XML of a photo.

    folder:    in which the photo lies
    has_masks: whether there are images of its masks

    Raises LabelError for names that XML cannot hold.
    """
    lines = [
        "<annotation>",
        f"\t<folder>{xml_text(folder, 'folder')}</folder>",
        f"\t<filename>{xml_text(posixpath.basename(photo.file), 'file name')}</filename>",
        *_size(photo.size_fields),
        f"\t<segmented>{int(has_masks)}</segmented>",
        *(object_text(labeled, photo.file, losses) for labeled in photo.objects),
        "</annotation>",
    ]
    for attribute in photo.attributes:
        losses.add_attribute(attribute, "photos", photo.file)
    return "\n".join(lines) + "\n"


def _size(fields: Mapping[str, int]) -> list[str]:
    """The lines with the size of the photo; none if it is not known."""
    sides = [f"\t\t<{tag}>{side}</{tag}>" for tag, side in fields.items()]
    return ["\t<size>", *sides, "\t\t<depth>3</depth>", "\t</size>"] if sides else []


def object_text(labeled: ObjectToWrite, photo: str, losses: Losses) -> str:
    """The lines of an <object>, indented by tabs. Raises LabelError for names that XML cannot hold."""
    corners = corners_of(labeled.box)
    if min(corners[2] - corners[0], corners[3] - corners[1]) <= 0:
        losses.add(_NARROW, photo)
        corners = _widened(corners)
    if labeled.crowd:
        losses.add(CROWD, photo)
    names = ("xmin", "ymin", "xmax", "ymax")
    box = [f"\t\t\t<{tag}>{short_number(value)}</{tag}>" for tag, value in zip(names, corners, strict=True)]
    lines = [
        "\t<object>",
        f"\t\t<name>{xml_text(labeled.class_name, 'class name')}</name>",
        *_attributes(labeled.attributes, photo, losses),
        f"\t\t<difficult>{int(labeled.difficult)}</difficult>",
        "\t\t<bndbox>",
        *box,
        "\t\t</bndbox>",
        "\t</object>",
    ]
    return "\n".join(lines)


def corners_of(box: Box) -> Box:
    """xmin, ymin, xmax, ymax, which count pixels from 1 and include the last."""
    x1, y1, x2, y2 = box
    return _one_more(x1), _one_more(y1), x2, y2


def _one_more(value: float) -> float:
    """The number nearest to value + 1 from which 1 can be subtracted without a loss, if there is one."""
    above = value + 1
    candidates = (above, math.nextafter(above, math.inf), math.nextafter(above, -math.inf))
    return next((candidate for candidate in candidates if candidate - 1 == value), above)


def _widened(corners: Box) -> Box:
    xmin, ymin, xmax, ymax = corners
    return xmin, ymin, max(xmax, xmin + _WIDENED), max(ymax, ymin + _WIDENED)


def _attributes(attributes: Mapping[str, object], photo: str, losses: Losses) -> list[str]:
    """Attributes as elements, as <pose> and <truncated> are. Marks are 0 or 1."""
    lines = []
    for name, value in attributes.items():
        if name in _KNOWN_TAGS or not is_tag(name) or not isinstance(value, str | int | float):
            losses.add_attribute(name, "objects", photo)
        elif name != "area":
            text = xml_text(str(int(value) if isinstance(value, bool) else value), "attribute")
            lines.append(f"\t\t<{name}>{text}</{name}>")
    return lines

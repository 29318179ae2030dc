"""Write CVAT for images 1.1: annotations.xml, and photos in images/SUBSET/.

Photos in no split are in the subset "default", as in CVAT. Boxes are <box>, outlines <polygon>, <ellipse> or
<mask>. Attributes are declared for each label as checkboxes, numbers or texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.cvat.mask_runs import run_lengths
from boxmask.data.formats.cvat.meta import AttributeTypes, meta
from boxmask.data.formats.losses import note_class_attributes
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.outline_losses import HOLES_AS_PIXELS, needs_pixels, note_other_box, pixels_of
from boxmask.data.formats.xml_writing import attribute_value, element_text, is_xml_text, xml_text
from boxmask.data.outlines import Ellipse, Outline, Polygons, RotatedBox
from boxmask.masks import Masks

DEFAULT_SUBSET = "default"
_FILE = "annotations.xml"
_PARTS = "outlines of several parts are written as masks of their pixels, without their points"
_VALUE = "the attribute {} of objects is not written if it is not {}"


class CvatWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "cvat"

    def photo_file(self, file: str, split: str) -> str:
        """images/train/a.jpg, as CVAT exports projects."""
        return f"images/{split or DEFAULT_SUBSET}/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write annotations.xml. Its head, which declares attributes, is only known once all are written.

        Raises LabelError for a class name that XML cannot hold.
        """
        for name in class_names:
            xml_text(name, "class name")
        note_class_attributes(class_names, losses, held=("color",))
        path, images = folder / _FILE, folder / f"{_FILE}.part"
        types, tags, number = AttributeTypes(), dict[str, None](), -1
        with images.open("w", encoding="utf-8", newline="\n") as file:
            for number, photo in enumerate(photos):
                _write_image(file, number, photo, types, losses)
                tags |= dict.fromkeys(_tags(photo))
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(meta(class_names, tags, types, number + 1, losses))
            with images.open(encoding="utf-8", newline="") as part:
                shutil.copyfileobj(part, file)
            file.write("</annotations>\n")
        images.unlink()
        return [path]


def _tags(photo: PhotoToWrite) -> list[str]:
    """The labels of the photo itself."""
    tags = photo.attributes.get("tags")
    return [tag for tag in tags if isinstance(tag, str) and tag.strip()] if isinstance(tags, list) else []


def _write_image(
    file: IO[str], number: int, photo: PhotoToWrite, types: AttributeTypes, losses: Losses
) -> None:
    fields = {"id": number, "name": photo.file, "subset": photo.split or DEFAULT_SUBSET}
    file.write(f"  <image{_fields(fields | photo.size_fields)}>\n")
    for labeled in photo.objects:
        _write_shape(file, labeled, photo, types, losses)
    for tag in _tags(photo):
        file.write(f"    <tag{_fields({'label': tag, 'source': 'manual'})}></tag>\n")
    file.write("  </image>\n")
    for name, value in photo.attributes.items():
        if name != "tags" or _tags(photo) != value:
            losses.add_attribute(name, "photos", photo.file)


# ---------------------------------------------------------------- shapes


def _write_shape(
    file: IO[str], labeled: ObjectToWrite, photo: PhotoToWrite, types: AttributeTypes, losses: Losses
) -> None:
    attributes = labeled.attributes_and_marks
    tag, drawn = _drawn(labeled, photo, losses)
    fields = {"label": labeled.class_name, **_origin(attributes, photo, losses), **drawn}
    for name, key in (("z_order", "z_order"), ("group", "group_id")):
        if isinstance(value := attributes.get(name), int) and not isinstance(value, bool) and value:
            fields[key] = attributes.pop(name)
    fields.setdefault("z_order", 0)
    lines = [f"    <{tag}{_fields(fields)}>\n"]
    for name, value in attributes.items():
        text = types.text_of(labeled.class_name, name, value)
        if text is None:
            losses.add_attribute(name, "objects", photo.file)
        else:
            lines.append(f"      <attribute name={attribute_value(name)}>{element_text(text)}</attribute>\n")
    file.writelines([*lines, f"    </{tag}>\n"])


def _origin(attributes: dict[str, object], photo: PhotoToWrite, losses: Losses) -> dict[str, object]:
    """The fields that all shapes have, taken from the attributes. Values that do not fit are lost."""
    source, occluded = attributes.pop("source", "manual"), attributes.pop("occluded", 0)
    if not isinstance(source, str) or not source or not is_xml_text(source):
        losses.add(_VALUE.format("source", "a text"), photo.file)
        source = "manual"
    if occluded not in (0, 1):
        losses.add(_VALUE.format("occluded", "true or false"), photo.file)
        occluded = 0
    return {"source": source, "occluded": int(occluded == 1)}


def _drawn(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> tuple[str, dict[str, object]]:
    """The tag of a shape, and the fields that place it."""
    outline = labeled.outline
    masks = _pixels(outline, photo, losses)
    note_other_box(labeled, photo.size, losses, photo.file, masks)
    match outline:
        case _ if masks is not None:
            x1, y1, x2, y2 = masks.windows[0].tolist()
            rle = ", ".join(map(str, run_lengths(masks.crops()[0]).tolist()))
            return "mask", {"rle": rle, "left": x1, "top": y1, "width": x2 - x1, "height": y2 - y1}
        case Polygons([part]):
            points = ";".join(f"{short_number(x)},{short_number(y)}" for x, y in part.tolist())
            return "polygon", {"points": points}
        case Ellipse((x, y), (radius_x, radius_y), rotation):
            fields = {"cx": x, "cy": y, "rx": radius_x, "ry": radius_y}
            return "ellipse", {**_short(fields), **_rotation(rotation)}
        case RotatedBox((x, y), (width, height), rotation):
            corners = x - width / 2, y - height / 2, x + width / 2, y + height / 2
            return "box", {**_corners(corners), **_rotation(rotation)}
    return "box", _corners(labeled.box)


def _pixels(outline: Outline | None, photo: PhotoToWrite, losses: Losses) -> Masks | None:
    """The mask to write; None for other shapes."""
    if outline is None or not needs_pixels(outline, holds_parts=False):
        return None
    has_holes = isinstance(outline, Polygons) and outline.holes
    return pixels_of(outline, photo.size, losses, photo.file, HOLES_AS_PIXELS if has_holes else _PARTS)


def _corners(corners: tuple[float, float, float, float]) -> dict[str, object]:
    return _short(dict(zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)))


def _rotation(rotation: float) -> dict[str, object]:
    return {"rotation": short_number(rotation)} if rotation % 360 else {}


def _short(numbers: dict[str, float]) -> dict[str, object]:
    return {name: short_number(number) for name, number in numbers.items()}


def _fields(fields: dict[str, object]) -> str:
    return "".join(f" {name}={attribute_value(str(value))}" for name, value in fields.items())


WRITER = CvatWriter()

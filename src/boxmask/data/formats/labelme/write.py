"""Write LabelMe: one JSON file beside each photo, and the names of all classes in labels.txt.

    train/a.jpg  train/a.json        photos/b.jpg  photos/b.json (photos in no split)        labels.txt

Boxes are rectangles, outlines polygons; several parts of one object share a group id. Masks, and outlines
with holes, are shapes "mask". Every shape has a line of its own.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from boxmask.data.formats.contract import ClassNames, Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.json_writing import is_json, json_line
from boxmask.data.formats.labelme.document import labelme_document, labelme_shape, mask_shape
from boxmask.data.formats.labelme.file import OWN_FIELDS
from boxmask.data.formats.losses import note_class_attributes
from boxmask.data.formats.numbers import short_number
from boxmask.data.formats.outline_losses import needs_pixels, note_other_box, pixels_of, polygons_of
from boxmask.data.outlines import Ellipse, Points, RotatedBox, RunLengths
from boxmask.names import without_suffix

_CLASSES = "classes with line breaks in their names are not in labels.txt"
_GROUPS = "group ids that several objects of one class share are not written"


class LabelmeWriter:
    """See `boxmask.data.formats.contract.Writer`."""

    NAME = "labelme"

    def photo_file(self, file: str, split: str) -> str:
        """A folder per split, and one for photos in no split."""
        return f"{split or 'photos'}/{file}"

    def write(
        self, photos: Iterable[PhotoToWrite], class_names: ClassNames, folder: Path, losses: Losses
    ) -> list[Path]:
        """Write one file per photo, and labels.txt."""
        names = [name for name in class_names if len(name.splitlines()) == 1]
        if len(names) < len(class_names):
            losses.add(_CLASSES, "")
        note_class_attributes(class_names, losses)
        files = [folder / "labels.txt"]
        files[0].write_text("".join(f"{name}\n" for name in names), encoding="utf-8", newline="\n")
        used: set[str] = set()
        for photo in photos:
            file = self.photo_file(photo.file, photo.split)
            files.append(folder / _label_file(file, used))
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            text = _document_text(_document(photo, posixpath.basename(file), losses))
            files[-1].write_text(text, encoding="utf-8", newline="\n")
        return files


def _label_file(photo: str, used: set[str]) -> str:
    """The photo's name with the suffix .json, or .jpg.json if another photo of another format has it."""
    for stem in (without_suffix(photo), photo):
        key = unicodedata.normalize("NFC", stem).casefold()
        if key not in used:
            break
    used.add(key)
    return f"{stem}.json"


def _document(photo: PhotoToWrite, image_path: str, losses: Losses) -> dict[str, Any]:
    shapes = [shape for group in _grouped(photo, losses) for shape in group]
    document = labelme_document(image_path, photo.size if photo.size_known else None, shapes)
    for name, value in photo.attributes.items():
        if isinstance(value, bool):
            document["flags"][name] = value
        elif name in OWN_FIELDS or not is_json(value):
            losses.add_attribute(name, "photos", photo.file)
        else:
            document[name] = value
    return document


def _document_text(document: dict[str, Any]) -> str:
    """JSON with one field per line, and one shape per line."""
    lines = [f"{json_line(key)}: {json_line(value)}" for key, value in document.items() if key != "shapes"]
    shapes = ",\n".join(map(json_line, document["shapes"]))
    return "{\n" + ",\n".join([*lines[:2], f'"shapes": [\n{shapes}\n]', *lines[2:]]) + "\n}\n"


# ---------------------------------------------------------------- objects


def _grouped(photo: PhotoToWrite, losses: Losses) -> Iterator[list[dict[str, Any]]]:
    """The shapes of each object, with group ids."""
    groups = [labeled.attributes.get("group") for labeled in photo.objects]
    taken = Counter((labeled.class_name, group) for labeled, group in zip(photo.objects, groups, strict=True))
    fresh = iter(number for number in range(1, 2**53) if number not in set(groups))
    for labeled, group in zip(photo.objects, groups, strict=True):
        shapes = _shapes(labeled, photo, losses)
        shapes[0] |= _described(labeled, photo.file, losses)
        number = group if isinstance(group, int) and not isinstance(group, bool) else None
        if number is not None and taken[labeled.class_name, group] > 1:
            losses.add(_GROUPS, photo.file)
            number = None
        if number is None and len(shapes) > 1:
            number = next(fresh)
        for shape in shapes:
            shape["group_id"] = number
        yield shapes


def _shapes(labeled: ObjectToWrite, photo: PhotoToWrite, losses: Losses) -> list[dict[str, Any]]:
    """The parts of one object, without group id."""
    label, outline = labeled.class_name, labeled.outline
    masks = None
    if outline is not None and needs_pixels(outline):
        masks = pixels_of(outline, photo.size, losses, photo.file)
    elif outline is not None:
        assert not isinstance(outline, RunLengths)
        note_other_box(labeled, photo.size, losses, photo.file)
        if isinstance(outline, Ellipse) and outline.radii[0] == outline.radii[1]:
            return [labelme_shape(label, "circle", _circle_points(outline))]
        kind = "oriented_rectangle" if isinstance(outline, RotatedBox) else "polygon"
        parts = polygons_of(outline, losses, photo.file).parts
        return [labelme_shape(label, kind, _points(part)) for part in parts]
    if masks is not None:
        note_other_box(labeled, photo.size, losses, photo.file, masks)
        x1, y1, x2, y2 = masks.windows[0].tolist()
        return [mask_shape(label, masks.crops()[0], (x1, y1, x2, y2))]
    x1, y1, x2, y2 = (short_number(edge) for edge in labeled.box)
    return [labelme_shape(label, "rectangle", [[x1, y1], [x2, y2]])]


def _points(part: Points) -> list[list[int | float]]:
    return [[short_number(x), short_number(y)] for x, y in part.tolist()]


def _circle_points(circle: Ellipse) -> Sequence[Sequence[float]]:
    """The center, and a point on the circle."""
    x, y = circle.center
    return [[short_number(x), short_number(y)], [short_number(x + circle.radii[0]), short_number(y)]]


def _described(labeled: ObjectToWrite, photo: str, losses: Losses) -> dict[str, Any]:
    """The fields of the first shape that tell more than its outline."""
    fields: dict[str, Any] = {"flags": {}}
    others: dict[str, object] = {}
    for name, value in labeled.attributes.items():
        if not is_json(value):
            losses.add_attribute(name, "objects", photo)
        elif isinstance(value, bool):
            fields["flags"][name] = value
        elif (name == "description" and isinstance(value, str) and value) or (
            name == "score" and isinstance(value, int | float)
        ):
            fields[name] = value
        elif name != "group" or not isinstance(value, int):
            others[name] = value
    if labeled.crowd:
        fields["flags"]["iscrowd"] = True
    if labeled.difficult:
        fields["difficult"] = True  # as in X-AnyLabeling
    return fields | ({"attributes": others} if others else {})


WRITER = LabelmeWriter()

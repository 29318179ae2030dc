"""One LabelMe file: its photo, and its objects with the shapes that they consist of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxmask.data.findings import Finding, Findings, Kind
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.formats.kinds import report_encoding
from boxmask.data.formats.labelme.shapes import Shape, parse_shape
from boxmask.data.formats.labels import declared_side
from boxmask.data.formats.shape_errors import kind_of_shape_error
from boxmask.data.json_text import read_json
from boxmask.errors import LabelError
from boxmask.masks import Size
from boxmask.names import class_name

SHAPES_JOINED = Kind(
    "shapes-joined",
    "note",
    "LabelMe rectangles that are joined into one object",
    "They have the same label and group id; LabelMe's own exports join them, too. If each is an "
    "object, clear their group ids.",
)

_PHOTO_FIELDS = ("imagePath", "imageData", "imageHeight", "imageWidth")
OWN_FIELDS = frozenset(
    ("version", "flags", "shapes", *_PHOTO_FIELDS, "lineColor", "fillColor", "boxmask"),
)


class NotLabelmeError(LabelError):
    """A JSON file that is not in LabelMe's form."""


@dataclass(slots=True)
class LabelmeObject:
    """One object: the shapes that are its parts, and the index of the first one in the file."""

    index: int
    shapes: list[Shape]


@dataclass(slots=True)
class LabelmeFile:
    """One label file.

    file:           relative to the root
    image_path:     the path of the photo as written, "" if there is none
    declared_size:  (height, width) of the photo, if both are given
    embeds_photo:   whether the file holds the photo itself, as imageData
    attributes:     of the photo
    """

    file: str
    image_path: str
    declared_size: Size | None
    embeds_photo: bool
    objects: list[LabelmeObject] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)


def read_labelme_file(root: Path, file: str, findings: Findings) -> LabelmeFile:
    """Read a file. Shapes that cannot be read become findings and are left out.

    Raises LabelError, with the line if it is known, for broken JSON, and NotLabelmeError for other JSON.
    """
    path = root / file
    content = read_json(path, on_note=report_encoding(path, findings))
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise NotLabelmeError.in_file(path, 'expected a list "shapes", as LabelMe writes it.')
    places = JsonPlaces(path)
    image_path = content.get("imagePath")
    sides = declared_side(content.get("imageHeight")), declared_side(content.get("imageWidth"))
    return LabelmeFile(
        file,
        image_path if isinstance(image_path, str) else "",
        None if sides[0] is None or sides[1] is None else (sides[0], sides[1]),
        bool(content.get("imageData")),
        _objects(_parse_shapes(places, content["shapes"], findings), places, findings),
        _photo_attributes(content),
    )


def _photo_attributes(content: dict[str, Any]) -> dict[str, object]:
    """The flags of the photo, and the fields that LabelMe itself does not know."""
    others = {key: value for key, value in content.items() if key not in OWN_FIELDS and value is not None}
    flags = content.get("flags")
    return others | (flags if isinstance(flags, dict) else {})


def _parse_shapes(
    places: JsonPlaces, entries: Sequence[object], findings: Findings
) -> list[tuple[int, Shape]]:
    shapes = []
    for index, entry in enumerate(entries):
        try:
            shapes.append((index, parse_shape(entry)))
        except ValueError as error:
            location = places.location("shapes", index)
            findings.add(Finding(kind_of_shape_error(error), location, str(error), num_left_out=1))
    return shapes


def _objects(
    shapes: Sequence[tuple[int, Shape]], places: JsonPlaces, findings: Findings
) -> list[LabelmeObject]:
    """Join the shapes of one label and one group id, as `labelme.utils.shapes_to_label` does."""
    objects: list[LabelmeObject] = []
    by_group: dict[tuple[str, int], LabelmeObject] = {}
    for index, shape in shapes:
        key = None if shape.group is None else (class_name(shape.label), shape.group)
        if key in by_group:
            by_group[key].shapes.append(shape)
            continue
        objects.append(LabelmeObject(index, [shape]))
        if key is not None:
            by_group[key] = objects[-1]
    for (label, group), joined in by_group.items():
        if sum(shape.box is not None for shape in joined.shapes) > 1:
            detail = f'"{label[:60]}" with group id {group}: {len(joined.shapes)} shapes'
            findings.add(Finding(SHAPES_JOINED, places.location("shapes", joined.index), detail))
    return objects

"""JSON of VIA 3: files, views of files, and metadata with shapes as lists of numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.corners import box_of_points
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.formats.kinds import ENTRY_UNREADABLE
from boxmask.data.formats.via.file import Attribute, ViaFile, ViaImage
from boxmask.data.formats.via.packed import pack, unpack
from boxmask.errors import LabelError
from boxmask.json_numbers import is_number

_IMAGE = 2  # the type of a file
_SELECT = (2, 3, 4)  # the types of attributes with options: checkbox, radio, select
_CHECKBOX = 2
_UNSUPPORTED = {1: "point", 5: "line", 6: "polyline", 9: "extreme circle"}
_FIELDS = {2: ("x", "y", "width", "height"), 3: ("cx", "cy", "r"), 4: ("cx", "cy", "rx", "ry")}
_NAMES = {2: "rect", 3: "circle", 4: "ellipse"}
_POLYGON, _EXTREME_RECTANGLE = 7, 8


def read_version3(root: Path, file: str, content: dict[str, Any], findings: Findings) -> ViaFile:
    """Read a project. Entries that cannot be read become findings.

    Raises LabelError for another structure.
    """
    tables = [content.get(name) for name in ("file", "view", "metadata", "attribute")]
    if not all(isinstance(table, dict) for table in tables):
        raise LabelError.in_file(
            root / file, 'expected "file", "view", "metadata" and "attribute", as VIA 3 saves.'
        )
    project = _Project(root / file, content, findings)
    images = project.images()
    return ViaFile(file, images, project.declared(), project.locate)


class _Project:
    """The tables of a project."""

    def __init__(self, path: Path, content: dict[str, Any], findings: Findings) -> None:
        self._path, self._content, self._findings = path, content, findings
        self._places = JsonPlaces(path)
        self._attributes: dict[str, Any] = {
            key: fields for key, fields in content["attribute"].items() if isinstance(fields, dict)
        }
        self._regions: dict[int, list[int]] = defaultdict(list)
        self._views = list(content["view"])

    def locate(self, image: int, region: int | None) -> Location:
        """File and line of a view or of one of its regions."""
        if region is None:
            line = self._places.line("view", image)
            return Location(str(self._path), line, f'view "{str(self._views[image])[:60]}"')
        number = self._regions[image][region]
        return Location(str(self._path), self._places.line("metadata", number), f"metadata[{number}]")

    def declared(self) -> dict[str, Attribute]:
        """The attributes by name."""
        return {
            self._name(key): Attribute(tuple(map(str, _options(fields).values())))
            for key, fields in self._attributes.items()
        }

    def images(self) -> list[ViaImage]:
        """The image of each view, with its regions."""
        images: dict[str, ViaImage] = {}
        for number, (view, fields) in enumerate(self._content["view"].items()):
            try:
                images[view] = ViaImage(number, self._file_name(fields), [])
            except ValueError as error:
                count = self._num_regions[view]
                self._report(("view", number), f'view "{view[:60]}"', str(error), num_left_out=count)
        for number, entry in enumerate(self._content["metadata"].values()):
            try:
                self._add(images, number, entry)
            except ValueError as error:
                self._report(("metadata", number), f"metadata[{number}]", str(error), num_left_out=1)
        return list(images.values())

    @cached_property
    def _num_regions(self) -> Counter[str]:
        """By the name of their view."""
        entries = [entry for entry in self._content["metadata"].values() if isinstance(entry, dict)]
        return Counter(str(entry.get("vid")) for entry in entries if entry.get("xy"))

    def _report(self, way: tuple[str, int], entry: str, detail: str, num_left_out: int = 0) -> None:
        location = Location(str(self._path), self._places.line(*way), entry)
        self._findings.add(Finding(ENTRY_UNREADABLE, location, detail, num_left_out=num_left_out))

    def _file_name(self, view: object) -> str:
        """Raises ValueError for views of several files, and for videos."""
        numbers = view.get("fid_list") if isinstance(view, dict) else None
        if not isinstance(numbers, list) or len(numbers) != 1:
            raise ValueError(f"expected a view of one photo in fid_list, found {str(numbers)[:60]}")
        fields = self._content["file"].get(str(numbers[0]))
        if not isinstance(fields, dict):
            raise ValueError(f"there is no file {str(numbers[0])[:60]}")
        if fields.get("type", _IMAGE) != _IMAGE:
            raise ValueError("a video or sound. Save the frames as photos, and label these.")
        name = fields.get("src") or fields.get("fname")
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"expected the photo's name in src or fname, found {str(name)[:60]}")
        return name

    def _add(self, images: dict[str, ViaImage], number: int, entry: object) -> None:
        """Add a region, or the attributes of a photo, to its image."""
        entry = unpack(entry)
        if not isinstance(entry, dict) or not isinstance(entry.get("xy"), list):
            raise ValueError(f"expected vid, xy and av, found {str(entry)[:60]}")
        view = entry.get("vid")
        if not isinstance(view, str) or view not in self._content["view"]:
            raise ValueError(f"there is no view {str(view)[:60]}")
        image = images.get(view)
        if image is None:  # its view is reported
            return
        attributes = self._values(entry.get("av"))
        if not entry["xy"]:
            image.attributes |= attributes
            return
        assert isinstance(image.regions, list)
        self._regions[image.number].append(number)
        image.regions.append(pack({"shape_attributes": _shape(entry["xy"]), "region_attributes": attributes}))

    def _name(self, key: str) -> str:
        name = self._attributes.get(key, {}).get("aname")
        return name if isinstance(name, str) else key

    def _values(self, values: object) -> dict[str, object]:
        """The attributes by name. Options become their texts, those of a checkbox true or false."""
        if not isinstance(values, dict):
            return {}
        return {self._name(key): self._value(key, value) for key, value in values.items()}

    def _value(self, key: str, value: object) -> object:
        fields = self._attributes.get(key, {})
        options = _options(fields)
        if not options or not isinstance(value, str):
            return value
        if fields.get("type") == _CHECKBOX:
            chosen = value.split(",") if value else []
            return {str(options.get(number, number)): True for number in chosen}
        return options.get(value, value)


def _options(fields: dict[str, Any]) -> dict[str, object]:
    options = fields.get("options")
    return options if fields.get("type") in _SELECT and isinstance(options, dict) else {}


def _shape(xy: list[object]) -> dict[str, object]:
    """The shape attributes of VIA 2 for [code, number, number, ...]."""
    code, *others = xy
    values = [value for value in others if is_number(value)]
    if not isinstance(code, int) or len(values) < len(others):
        return {"name": str(xy)[:60]}
    if len(values) == len(_FIELDS.get(code, ())) > 0:
        return {"name": _NAMES[code], **dict(zip(_FIELDS[code], values, strict=True))}
    if code == _POLYGON:
        return {"name": "polygon", "all_points_x": values[::2], "all_points_y": values[1::2]}
    if code == _EXTREME_RECTANGLE and values and len(values) % 2 == 0:
        x1, y1, x2, y2 = box_of_points(values)
        return {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
    return {"name": _UNSUPPORTED.get(code, f"{code} with {len(values)} numbers")}

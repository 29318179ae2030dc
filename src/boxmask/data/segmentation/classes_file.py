"""The classes file of label maps: the color or the index of each class.

`classes.txt` and `classes.csv` have one class per line; `classes.json` has an object or a list:

    Building 3C1098                {"Building": "3C1098",
    Building,60,16,152               "Land": [132, 41, 246],
    Unlabeled 9B9B9B ignore          "Unlabeled": {"color": "9B9B9B", "ignore": true}}
    Building,7
    Building

- With colors, the color of a pixel gives its class. In palette images, the color counts, not the index.
  Gray is a color, too.
- With indices, or with names only (which are counted from 0), the palette index or gray value of a pixel
  gives its class. Index 255 is ignored, as in Pascal VOC, unless the file names it.

`labelmap.txt` of CVAT and Datumaro is read, too: Building:60,16,152:parts:actions
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from boxmask.data.class_names import Spellings
from boxmask.data.findings import Location
from boxmask.data.json_text import read_json
from boxmask.data.text import read_lines
from boxmask.errors import LabelError
from boxmask.masks import IGNORED
from boxmask.names import class_name
from boxmask.options import option

CLASSES_FILE_NAMES = ("classes.txt", "classes.csv", "classes.json", "class_dict.csv", "labelmap.txt")
"""Where a data set's own classes file may lie, in its folder."""

CLASSES_FILE_HELP = (
    "Write one class per line: a name and its color (Building 3C1098, or Building,60,16,152), a name and its "
    "index (Building,7), or names only, counted from 0. ` ignore` at the end of a line (`,ignore` after a "
    "comma) marks its pixels as not labeled."
)

_HEADINGS = {"r", "red", "color", "colour", "hex", "rgb", "index", "id", "value", "number"}
_JSON_KEYS = ("color", "colour", "index", "id")
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")
_CVAT_LINE = re.compile(r"(?P<name>.+):(?P<color>\d{1,3},\d{1,3},\d{1,3})?:[^:]*:[^:]*")
_CVAT_HEADING = re.compile(r"#\s*label\s*:\s*color_rgb\b.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """One class in the file.

    value:    a color 0xRRGGBB or an index; None for a name only
    location: file and line
    """

    name: str
    value: int | None
    is_color: bool
    ignored: bool
    location: str


@dataclass(frozen=True, slots=True)
class LabelMapClasses:
    """The K classes of a data set's label maps.

    labels:      the label of each pixel value, 0..K-1 or IGNORED
    by_color:    whether pixel values are colors 0xRRGGBB; else they are indices
    file:        the classes file, for messages
    names_only:  whether the file has names without values; their indices count from 0
    assumes_255: whether index 255 is ignored although the file does not name it
    spellings:   of the names, see `Spellings`
    """

    names: tuple[str, ...]
    labels: dict[int, int]
    by_color: bool
    file: str
    names_only: bool = False
    assumes_255: bool = False
    spellings: Spellings = field(default_factory=dict)


def find_classes_file(folder: Path) -> Path | None:
    """The classes file in a folder, if it has one, in any case. Raises LabelError if it has several."""
    files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    found = [file for name in CLASSES_FILE_NAMES for file in files if file.name.lower() == name]
    if len(found) > 1:
        advice = f"Keep one of them, or choose one with {option('classes_file')}."
        raise LabelError(f"{found[0]} and {found[1]}: two classes files. {advice}")
    return found[0] if found else None


def read_classes_file(path: str | Path) -> LabelMapClasses:
    """Read a classes file. Raises LabelError, with file and line, for entries that make no sense."""
    path = Path(path)
    is_json = path.suffix.lower() == ".json"
    return _classes(list(_parse_json(path) if is_json else _parse_lines(path)), path)


# ---------------------------------------------------------------- text and CSV


def _parse_lines(path: Path) -> Iterator[ClassEntry]:
    is_first = True
    for number, line in enumerate(read_lines(path, "classes file"), start=1):
        if not line.strip() or _CVAT_HEADING.fullmatch(line.strip()):
            continue
        if cvat := _CVAT_LINE.fullmatch(line.strip()):
            yield _cvat_entry(cvat["name"], cvat["color"], f"{path}:{number}")
            continue
        fields = [field.strip().strip('"') for field in line.split(",")]
        is_heading = is_first and len(fields) > 1 and {field.lower() for field in fields[1:]} & _HEADINGS
        is_first = False
        if not is_heading:
            location = f"{path}:{number}"
            yield _entry(fields, location) if len(fields) > 1 else _parse_words(fields[0], location)


def _cvat_entry(name: str, color: str | None, location: str) -> ClassEntry:
    if color is None:
        raise LabelError(f"{location}: {name} has no color. Write {name}:RED,GREEN,BLUE::, such as 128,0,0.")
    return _entry([name.strip(), *color.split(",")], location)


def _parse_words(line: str, location: str) -> ClassEntry:
    """`Name with spaces 3C1098 ignore`. Color and "ignore" are optional; other numbers belong to the name."""
    words = line.split()
    ignored = len(words) > 1 and words[-1].lower() == "ignore"
    words = words[:-1] if ignored else words
    color = _COLOR.fullmatch(words[-1]) if len(words) > 1 else None
    name = " ".join(words[:-1] if color else words)
    return _entry([name, *([color[1]] if color else []), *(["ignore"] if ignored else [])], location)


def _entry(fields: list[str], location: str) -> ClassEntry:
    """From a name; then nothing, a color, an index, or red, green and blue; then "ignore" if given."""
    ignored = len(fields) > 1 and fields[-1].lower() == "ignore"
    name, *values = fields[:-1] if ignored else fields
    if not name:
        raise LabelError(f"{location}: a class without a name. {CLASSES_FILE_HELP}")
    if not values:
        return ClassEntry(name, None, False, ignored, location)
    if len(values) == 1 and (color := _COLOR.fullmatch(values[0])):
        return ClassEntry(name, int(color[1], 16), True, ignored, location)
    if all(value.isdecimal() and len(value) < 10 for value in values):
        numbers = [int(value) for value in values]
        if len(numbers) == 1 and numbers[0] <= 65535:
            return ClassEntry(name, numbers[0], False, ignored, location)
        if len(numbers) == 3 and max(numbers) <= 255:
            red, green, blue = numbers
            return ClassEntry(name, (red << 16) + (green << 8) + blue, True, ignored, location)
    raise LabelError(
        f'{location}: "{", ".join(values)}" is neither a color nor an index. {CLASSES_FILE_HELP}'
    )


# ---------------------------------------------------------------- JSON


def _parse_json(path: Path) -> Iterator[ClassEntry]:
    content = read_json(path, "classes file")
    pairs: list[tuple[object, object]] = []
    if isinstance(content, dict):
        pairs = list(content.items())
    elif isinstance(content, list):
        pairs = [(item.get("name"), item) if isinstance(item, dict) else (item, {}) for item in content]
    if not pairs or not all(isinstance(name, str) for name, _ in pairs):
        raise LabelError(f'{path}: expected {{"name": "RRGGBB", ...}} or a list of names.')
    return (_entry(_csv_fields(str(name), value), f"{path}: {name}") for name, value in pairs)


def _csv_fields(name: str, value: object) -> list[str]:
    """An entry as the fields of a CSV line."""
    if isinstance(value, dict):
        keys = [key for key in _JSON_KEYS if key in value]
        values = _csv_fields("", value[keys[0]])[1:] if keys else []
        return [name, *values, *(["ignore"] if value.get("ignore") is True else [])]
    return [name, *(map(str, value) if isinstance(value, list) else [str(value)])]


# ---------------------------------------------------------------- labels


def _classes(entries: list[ClassEntry], path: Path) -> LabelMapClasses:
    """Give each name a label. A class may have several colors or indices."""
    spellings = {entry.name: partial(_location, entry) for entry in reversed(entries)}
    entries = [replace(entry, name=class_name(entry.name)) for entry in entries]
    names = tuple(dict.fromkeys(entry.name for entry in entries if not entry.ignored))
    if not names:
        raise LabelError(f"{path}: names no class, so there is nothing to learn. {CLASSES_FILE_HELP}")
    if len(names) > IGNORED:
        raise LabelError(f"{path}: {len(names)} classes; at most {IGNORED} are supported.")
    _check_entries(entries)
    by_color = entries[0].is_color
    values = {entry.value for entry in entries}
    labels: dict[int, int] = {} if by_color else {IGNORED: IGNORED}
    for index, entry in enumerate(entries):
        value = index if entry.value is None else entry.value
        labels[value] = IGNORED if entry.ignored else names.index(entry.name)
    names_only = entries[0].value is None
    assumes_255 = not by_color and (len(entries) <= IGNORED if names_only else IGNORED not in values)
    return LabelMapClasses(names, labels, by_color, str(path), names_only, assumes_255, spellings)


def _location(entry: ClassEntry) -> Location:
    file, _, line = entry.location.rpartition(":")
    return Location(file, int(line)) if line.isdecimal() else Location(entry.location)


def _check_entries(entries: list[ClassEntry]) -> None:
    """Raise LabelError if lines are of different kinds, or two give the same color, index or bare name."""
    locations: dict[int | str, str] = {}
    for entry in entries:
        if _kind(entry) != _kind(entries[0]):
            kinds = f"this line has {_kind(entry)}, the first one has {_kind(entries[0])}"
            raise LabelError(f"{entry.location}: {kinds}. Use the same kind for all. {CLASSES_FILE_HELP}")
        key = class_name(entry.name) if entry.value is None else entry.value
        if key in locations:
            shown = f'"{key}"' if isinstance(key, str) else format_value(key, entry.is_color)
            raise LabelError(f"{entry.location}: {shown} is also at {locations[key]}. Keep one of them.")
        locations[key] = entry.location


def _kind(entry: ClassEntry) -> str:
    if entry.value is None:
        return "a name only"
    return "a color" if entry.is_color else "an index"


def format_value(value: int, by_color: bool) -> str:
    """A pixel value as in the classes file: 3C1098, or 7."""
    return f"{value:06X}" if by_color else str(value)

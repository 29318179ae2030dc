"""The classes file of label images: which color, or which number, stands for which class.

`classes.txt` or `classes.csv` has a class a line, `classes.json` an object or a list:

    Building 3C1098                 {"Building": "3C1098",
    Building,60,16,152               "Land": [132, 41, 246],
    Unlabeled 9B9B9B ignore          "Unlabeled": {"color": "9B9B9B", "ignore": true}}
    Building,7
    Building

With colors, a pixel means what its color says; a palette's colors count, not its numbers, and gray is a
color. With numbers, or names alone (counted from 0), a pixel means what its number in the palette or its
gray value says; 255 is nothing that is said, as in VOC, unless the file names it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boxmask.errors import LabelError
from boxmask.types import IGNORED

NAMES = ("classes.txt", "classes.csv", "classes.json", "class_dict.csv")  # looked for in the set's folder
FORM = (
    "Write a class a line: a name and its color (Building 3C1098, or Building,60,16,152), a name and its "
    "number (Building,7), or names alone, counted from 0; ` ignore` at the end of a line (`,ignore` after a "
    "comma) says that its pixels are not labeled."
)
_HEADINGS = {"r", "red", "color", "hex", "rgb", "index", "id", "value", "number"}
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One class as the file has it: `code` is a color 0xRRGGBB or a number, None for a name alone."""

    name: str
    code: int | None
    is_color: bool
    ignored: bool
    place: str


@dataclass(frozen=True, slots=True)
class ClassFile:
    """names: the K classes; labels: what each code means, 0..K-1 or IGNORED; by_color: what a code is."""

    names: tuple[str, ...]
    labels: dict[int, int]
    by_color: bool
    file: str


def find_class_file(folder: Path) -> Path | None:
    """The classes file of a set, if it has one. Raises LabelError where it has several."""
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(found) > 1:
        raise LabelError(
            f"{found[0]} and {found[1]}: two classes files. Keep one, or give one (classes_file)."
        )
    return found[0] if found else None


def read_class_file(path: str | Path) -> ClassFile:
    """Read a classes file. Raises LabelError, with file and line, for what cannot be understood."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise LabelError(f"{path}: there is no such classes file. Check the spelling.") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8.") from error
    entries = list(_of_json(text, path) if path.suffix.lower() == ".json" else _of_lines(text, path))
    return _classes(entries, path)


# ---------------------------------------------------------------- forms


def _of_lines(text: str, path: Path) -> Iterator[Entry]:
    first = True
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        fields = [field.strip().strip('"') for field in line.split(",")]
        is_heading = first and len(fields) > 1 and {field.lower() for field in fields[1:]} & _HEADINGS
        first = False
        if not is_heading:
            place = f"{path}:{number}"
            yield _entry(fields, place) if len(fields) > 1 else _spaced(fields[0], place)


def _spaced(line: str, place: str) -> Entry:
    """`Name with spaces 3C1098 ignore`: color and mark are optional; numbers belong to the name."""
    words = line.split()
    ignored = len(words) > 1 and words[-1].lower() == "ignore"
    words = words[:-1] if ignored else words
    color = _COLOR.fullmatch(words[-1]) if len(words) > 1 else None
    name = " ".join(words[:-1] if color else words)
    return _entry([name, *([color[1]] if color else []), *(["ignore"] if ignored else [])], place)


def _entry(fields: list[str], place: str) -> Entry:
    """From the name, then nothing, a color, a number, or red, green and blue; then perhaps `ignore`."""
    ignored = len(fields) > 1 and fields[-1].lower() == "ignore"
    name, *codes = fields[:-1] if ignored else fields
    if not name:
        raise LabelError(f"{place}: a class without a name. {FORM}")
    if not codes:
        return Entry(name, None, False, ignored, place)
    if len(codes) == 1 and (color := _COLOR.fullmatch(codes[0])):
        return Entry(name, int(color[1], 16), True, ignored, place)
    if all(code.isdecimal() for code in codes):
        numbers = [int(code) for code in codes]
        if len(numbers) == 1 and numbers[0] <= 65535:
            return Entry(name, numbers[0], False, ignored, place)
        if len(numbers) == 3 and max(numbers) <= 255:
            return Entry(name, (numbers[0] << 16) + (numbers[1] << 8) + numbers[2], True, ignored, place)
    raise LabelError(f'{place}: "{", ".join(codes)}" is neither a color nor a number. {FORM}')


def _of_json(text: str, path: Path) -> Iterator[Entry]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise LabelError(f"{path}:{error.lineno}:{error.colno}: broken JSON ({error.msg}).") from error
    if isinstance(content, dict):
        pairs = list(content.items())
    elif isinstance(content, list):
        pairs = [(one.get("name"), one) if isinstance(one, dict) else (one, {}) for one in content]
    else:
        pairs = []
    if not pairs or not all(isinstance(name, str) for name, _ in pairs):
        raise LabelError(f'{path}: expected {{"name": "RRGGBB", ...}} or a list of names.')
    return (_entry(_fields(name, value), f"{path}: {name}") for name, value in pairs)


def _fields(name: str, value: object) -> list[str]:
    """As a line of the CSV would have them."""
    if isinstance(value, dict):
        keys = [key for key in ("color", "color", "index", "id") if key in value]
        codes = _fields("", value[keys[0]])[1:] if keys else []
        return [name, *codes, *(["ignore"] if value.get("ignore") is True else [])]
    return [name, *(map(str, value) if isinstance(value, list) else [str(value)])]


# ---------------------------------------------------------------- meaning


def _classes(entries: list[Entry], path: Path) -> ClassFile:
    """Count the names; several colors or numbers may stand for one class."""
    names = tuple(dict.fromkeys(entry.name for entry in entries if not entry.ignored))
    if not names:
        raise LabelError(f"{path}: names no class, so there is nothing to learn. {FORM}")
    if len(names) > IGNORED:
        raise LabelError(f"{path}: {len(names)} classes; at most {IGNORED} can be told apart.")
    _require_one_kind(entries)
    by_color = entries[0].is_color
    labels: dict[int, int] = {} if by_color else {IGNORED: IGNORED}
    for number, entry in enumerate(entries):
        code = number if entry.code is None else entry.code
        labels[code] = IGNORED if entry.ignored else names.index(entry.name)
    return ClassFile(names, labels, by_color, str(path))


def _require_one_kind(entries: list[Entry]) -> None:
    """Raise LabelError where lines are of different kinds, or a color, number or bare name stands twice."""
    places: dict[int | str, str] = {}
    for entry in entries:
        if _kind(entry) != _kind(entries[0]):
            kinds = f"this line has {_kind(entry)}, the first one {_kind(entries[0])}"
            raise LabelError(f"{entry.place}: {kinds}. Give the same to every class. {FORM}")
        key = entry.name if entry.code is None else entry.code
        if key in places:
            shown = f'"{key}"' if isinstance(key, str) else code_text(key, entry.is_color)
            raise LabelError(f"{entry.place}: {shown} stands at {places[key]}, too. Keep one of them.")
        places[key] = entry.place


def _kind(entry: Entry) -> str:
    return "a name alone" if entry.code is None else "a color" if entry.is_color else "a number"


def code_text(code: int, by_color: bool) -> str:
    """A code as the classes file has it: 3C1098, or 7."""
    return f"{code:06X}" if by_color else str(code)

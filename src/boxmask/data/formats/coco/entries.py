"""The three lists of a COCO file. Entries are decoded one by one, so that large files need little memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np

from boxmask.data.findings import Location
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.json_text import check_repeated_keys, read_json
from boxmask.data.text import decode_text, read_bytes
from boxmask.errors import LabelError

Entry: TypeAlias = dict[str, Any]
LISTS = ("images", "annotations", "categories")

_JSON_TYPES = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


class _Lists(msgspec.Struct):
    """The three lists, with entries as they are written."""

    images: list[msgspec.Raw]
    annotations: list[msgspec.Raw]
    categories: list[msgspec.Raw]


class CocoEntries:
    """The entries of one file. `lists` holds them as they are written (`msgspec.Raw`), or decoded."""

    def __init__(self, path: Path, lists: dict[str, Sequence[object]], data: bytes | None = None) -> None:
        self.path = path
        self.lists = lists
        self._data = data
        self._slow_lines = JsonPlaces(path)
        self._counted = (0, 1)
        self._has_lines = data is not None and b"\n" in data.strip()

    def entry(self, key: str, index: int) -> object:
        """The entry of "images", "annotations" or "categories", decoded."""
        entry = self.lists[key][index]
        if not isinstance(entry, msgspec.Raw):
            return entry
        try:
            return decode_raw(entry)
        except ValueError as error:
            read_json(self.path)  # raises LabelError with the line
            raise LabelError.in_file(self.path, f"{key}[{index}] cannot be read ({error}).") from error

    def location(self, key: str, index: int) -> Location:
        """File, line, index and id of an entry."""
        entry = self.entry(key, index)
        known_id = entry.get("id") if isinstance(entry, dict) else None
        if self._data is None:
            return self._slow_lines.location(key, index, known_id)
        suffix = "" if known_id is None else f" (id {known_id})"
        return Location(str(self.path), self._line(key, index), f"{key}[{index}]{suffix}")

    def check_repeated_keys(self, key: str, present: Mapping[str, int]) -> None:
        """Raise LabelError for keys that an entry of a list holds twice with different values.

        present: in how many entries of the list each key was found. The whole file is only searched if a key
                 is written more often than that.
        """
        entries = self.lists[key]
        if self._data is None or not entries:
            return
        base = _address(self._data)
        start = _address(entries[0]) - base
        end = _address(entries[-1]) - base + _length(entries[-1])
        if any(self._data.count(b'"%s"' % name.encode(), start, end) != n for name, n in present.items()):
            check_repeated_keys(self.path, decode_text(self._data, self.path).content)

    def _line(self, key: str, index: int) -> int | None:
        """The line in which an entry begins; None for a file of one line."""
        entry = self.lists[key][index]
        if self._data is None or not self._has_lines or not isinstance(entry, msgspec.Raw):
            return None
        start = _address(entry) - _address(self._data)
        counted, line = self._counted if self._counted[0] <= start else (0, 1)
        line += self._data.count(b"\n", counted, start)
        self._counted = (start, line)
        return line


def read_entries(path: Path, on_note: Callable[[str], None] | None = None) -> CocoEntries:
    """Read the lists of a COCO file.

    on_note: called with why the file was read in another encoding than UTF-8

    Raises LabelError, with line and column, for broken JSON, for keys that an object holds twice with
    different values, and for a file without the three lists.
    """
    data = read_bytes(path)
    is_utf8 = data.isascii() or decode_text(data, path).encoding == "utf-8"
    if not is_utf8 or not data[:1024].lstrip().startswith(b"{") or b"\\ud" in data or b"\\uD" in data:
        return _read_slowly(path, on_note)
    try:
        lists = msgspec.json.decode(data, type=_Lists)
    except (msgspec.MsgspecError, RecursionError):  # it is broken, nested deeply, or holds NaN
        return _read_slowly(path, on_note)
    if any(data.count(b'"%s"' % key.encode()) > 1 for key in LISTS):
        check_repeated_keys(path, decode_text(data, path).content)
    return CocoEntries(path, {key: getattr(lists, key) for key in LISTS}, data)


def decode_raw(raw: msgspec.Raw) -> object:
    """The value of a part of a file. Raises ValueError for one that is nested too deeply."""
    try:
        return msgspec.json.decode(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except msgspec.MsgspecError:  # a number that is too large for a float
        return json.loads(bytes(raw), strict=False)


def _read_slowly(path: Path, on_note: Callable[[str], None] | None) -> CocoEntries:
    content = read_json(path, on_note=on_note)
    lists = {key: content.get(key) for key in LISTS} if isinstance(content, dict) else {}
    if lists and all(isinstance(entries, list) for entries in lists.values()):
        return CocoEntries(path, {key: entries for key, entries in lists.items() if entries is not None})
    expected = 'COCO needs three lists, "images", "annotations" and "categories"'
    raise LabelError.in_file(path, f"{expected}; found {_describe(content)}. Give a file of COCO instances.")


def _describe(content: object) -> str:
    """The keys of a JSON file, and what those of the three lists hold if it is no list."""
    if not isinstance(content, dict):
        return _JSON_TYPES[type(content)]
    others = [
        f"{key} is {_JSON_TYPES[type(content[key])]}, not a list"
        for key in LISTS
        if key in content and not isinstance(content[key], list)
    ]
    return "; ".join([", ".join(content) or "an empty object", *others])


def _address(buffer: Any) -> int:
    """Where the first byte lies in memory: an entry is a part of the bytes of its file."""
    return int(np.frombuffer(buffer, dtype=np.uint8).__array_interface__["data"][0])


def _length(buffer: Any) -> int:
    return len(memoryview(buffer))

"""Change single values of a JSON file. Every other byte stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from boxmask.data.formats.coco.entries import decode_raw
from boxmask.data.json_text import read_json
from boxmask.errors import LabelError

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_BETWEEN = re.compile(rb"[\s,]*")


@dataclass(frozen=True, slots=True)
class JsonList:
    """A list in a file: its items, and what stands before, between and after them.

    start, end: of the list in the file, with its brackets
    gaps:       before the first item, between two items, and after the last
    """

    start: int
    end: int
    items: tuple[bytes, ...]
    gaps: tuple[bytes, ...]

    def rebuilt(self, items: Sequence[bytes | None], added: Sequence[bytes]) -> bytes:
        """The list with changed items; None removes one. Others are added at its end."""
        kept = [(self.gaps[n], item) for n, item in enumerate(items) if item is not None]
        between = self.gaps[-2] if len(self.items) > 1 else b"," + self.gaps[0]
        kept += [(between, item) for item in added]
        if not kept:
            return b"[]"
        first = self.gaps[0]
        parts = [first + kept[0][1], *(gap + item for gap, item in kept[1:])]
        return b"[" + b"".join(parts) + (self.gaps[-1] if self.items else b"") + b"]"


@dataclass(frozen=True, slots=True)
class Style:
    """How a file writes its values.

    step: spaces or tabs per level; None for values in one line
    base: before the lines of the value
    colon, comma: between keys and values, and between values in one line
    """

    step: str | None = None
    base: str = ""
    colon: str = ": "
    comma: str = ", "

    def write(self, value: object) -> bytes:
        """A value in this style."""
        comma = self.comma if self.step is None else ","
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            indent=self.step,
            separators=(comma, self.colon),
        )
        return text.replace("\n", "\n" + self.base).encode()

    def deeper(self) -> Style:
        """The style of the values of an object that is written in this style."""
        return self if self.step is None else Style(self.step, self.base + self.step, self.colon, self.comma)


def style_of(item: bytes) -> Style:
    """The style of an object in a list."""
    colon = ": " if re.search(rb'":\s', item) else ":"
    comma = ", " if re.search(rb",\s", item) or b"," not in item else ","
    key = re.search(rb'\n([ \t]*)"', item)
    brace = re.search(rb"\n([ \t]*)\}\s*$", item)
    if key is None or brace is None:
        return Style(None, "", colon, comma)
    base = brace[1].decode()
    return Style(key[1].decode().removeprefix(base) or "  ", base, colon, comma)


def read_object(data: bytes, path: Path) -> Mapping[str, msgspec.Raw]:
    """The values of a file that holds an object, as they are written. Raises LabelError for anything else."""
    try:
        return _OBJECT.decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        read_json(path)  # raises LabelError with the line, if it is broken
        raise LabelError.in_file(path, f"is no plain JSON ({error}). Write it anew, without NaN.") from error


def decode_item(item: bytes) -> object:
    """An item of a list; None for one that cannot be read, which is a finding of the doctor."""
    try:
        return decode_raw(msgspec.Raw(item))
    except ValueError:
        return None


def find_list(data: bytes, part: msgspec.Raw, path: Path) -> JsonList:
    """A list among the values of `read_object`. Raises LabelError if it is no list."""
    try:
        items = _LIST.decode(part)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise LabelError.in_file(path, f"expected a list ({error}).") from error
    start, end = _span(data, part)
    texts, gaps, position = list[bytes](), list[bytes](), start + 1
    for item in items:
        text = bytes(item)
        begin = _between(data, position)
        gaps.append(data[position:begin])
        texts.append(text)
        position = begin + len(text)
    return JsonList(start, end, tuple(texts), (*gaps, data[position : end - 1]))


def with_fields(item: bytes, fields: Mapping[str, object]) -> bytes:
    """An object with other values of some fields; those that it does not have are added at its end."""
    style = style_of(item)
    present = _OBJECT.decode(item)
    spans = {key: _span(item, part) for key, part in present.items()}
    for key in sorted(fields.keys() & present.keys(), key=lambda key: spans[key], reverse=True):
        start, end = spans[key]
        inner = style.deeper() if b"\n" in item[start:end] else Style(None, "", style.colon, style.comma)
        item = item[:start] + inner.write(fields[key]) + item[end:]
    for key in fields.keys() - present.keys():
        before = item[:-1].rstrip()
        gap = style.comma if style.step is None else f",\n{style.base}{style.step}"
        if before.endswith(b"{"):
            gap = gap.lstrip(", ") if style.step is None else gap[1:]
        name = json.dumps(key, ensure_ascii=False)
        added = f"{gap}{name}{style.colon}".encode() + style.deeper().write(fields[key])
        item = before + added + item[len(before) :]
    return item


def _between(data: bytes, position: int) -> int:
    """Where the next item of a list begins."""
    found = _BETWEEN.match(data, position)
    assert found is not None
    return found.end()


def _span(data: bytes, part: msgspec.Raw) -> tuple[int, int]:
    """Where a part lies in the bytes that it was decoded from: it shares their memory."""
    start = _address(part) - _address(data)
    end = start + len(memoryview(part))
    assert 0 <= start <= end <= len(data)
    return start, end


def _address(buffer: object) -> int:
    view = np.frombuffer(buffer, dtype=np.uint8)  # type: ignore[call-overload]
    return int(view.__array_interface__["data"][0])

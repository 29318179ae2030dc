"""Lines of values anywhere in a JSON file, which Python's JSON reader does not keep."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from functools import cached_property, lru_cache
from pathlib import Path

from boxmask.data.findings import Location
from boxmask.data.text import read_text

_GAP = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:\s*")
_MAX_KEPT = 256
"""Lists and objects whose places are kept. What is asked for next mostly lies in the same ones."""


class JsonPlaces:
    """Lines in one JSON file. The file is read again when the first one is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._children: dict[tuple[str | int, ...], list[tuple[str, int]]] = {}

    def line(self, *keys: str | int) -> int | None:
        """The line in which a value begins; None if the whole file is one line, or there is no such value.

        keys: the way to the value, such as "annotations", 17, "bbox": names of entries of objects, or the
              indices of entries of lists and objects
        """
        if len(self._breaks) < 1:
            return None
        position = _GAP.match(self._text).end()  # type: ignore[union-attr]
        for depth, key in enumerate(keys):
            children = self._children_of(keys[:depth], position)
            if isinstance(key, int):
                found = children[key][1] if key < len(children) else None
            else:
                found = next((place for name, place in children if name == key), None)
            if found is None:
                return None
            position = found
        return bisect_left(self._breaks, position) + 1

    def location(self, key: str, index: int, identity: object = None) -> Location:
        """An entry of a list, for example "instances.json:210: annotations[17] (id 303)"."""
        known = "" if identity is None else f" (id {identity})"
        return Location(str(self._path), self.line(key, index), f"{key}[{index}]{known}")

    @cached_property
    def _text(self) -> str:
        return read_text(self._path).content.strip()

    @cached_property
    def _breaks(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self._text)]

    def _children_of(self, keys: tuple[str | int, ...], position: int) -> list[tuple[str, int]]:
        """The names and positions of the values in a list or an object. Names in lists are empty."""
        if keys not in self._children:
            if len(self._children) == _MAX_KEPT:
                del self._children[max(self._children, key=len)]  # outer ones are needed again
            self._children[keys] = _children(self._text, position)
        return self._children[keys]


@lru_cache(maxsize=4)
def json_places(path: Path) -> JsonPlaces:
    """The lines of a file, kept for the next call: findings about one file mostly follow one another."""
    return JsonPlaces(path)


def _children(text: str, position: int) -> list[tuple[str, int]]:
    """All up to the first one that is broken."""
    children: list[tuple[str, int]] = []
    decoder = json.JSONDecoder()
    opening = text[position : position + 1]
    if opening not in ("[", "{"):
        return []
    try:
        while text[(position := _end(_GAP, text, position + (not children)))] not in "]}":
            name = ""
            if opening == "{":
                name, position = decoder.raw_decode(text, position)
                position = _end(_COLON, text, position)
            children.append((name, position))
            _, position = decoder.raw_decode(text, position)
    except (IndexError, ValueError, RecursionError):
        return children
    return children


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position

"""Read large XML files element by element, in bounded memory."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from xml.parsers import expat

from boxmask.data.code_pages import codec_of, declared_encoding
from boxmask.data.formats.xml_parser import MAX_DEPTH, broken_xml, new_parser, too_deep
from boxmask.data.text import read_text
from boxmask.errors import LabelError

_BLOCK = 2**20
"""Bytes that are parsed at once."""

_UTF_8 = ("", "utf-8", "ascii", None)


class XmlHandler(Protocol):
    """Gets the elements of a file, in their order."""

    def start(self, tag: str, attributes: dict[str, str], line: int) -> None:
        """An element begins in this line."""

    def end(self, tag: str, text: str) -> None:
        """An element ends. Its text is "" if it has children."""


def stream_xml(path: Path, handler: XmlHandler) -> str:
    """Check a whole file, then pass its elements to a handler.

    Returns why the file was read in another encoding than the declared one, "" if it was not. Raises
    LabelError as `read_xml` does.
    """
    note = "" if _is_utf8(path) else read_text(path).note
    _check(path)
    _Stream(path, handler).parse()
    return note


def _is_utf8(path: Path) -> bool:
    """Whether a file can be read block by block. Raises LabelError if it cannot be read."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        with path.open("rb") as file:
            beginning = file.read(1024)
            if b"\0" in beginning or codec_of(declared_encoding(beginning) or "utf-8") not in _UTF_8:
                return False
            decoder.decode(beginning)
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise LabelError.in_file(path, f"this file cannot be read ({error}).") from error
    return True


def _blocks(path: Path) -> Iterator[str]:
    """The text of a file; all at once if it is not UTF-8."""
    if not _is_utf8(path):
        yield read_text(path).content
        return
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield decoder.decode(block)


def _feed(path: Path, parser: expat.XMLParserType) -> None:
    is_empty = True
    try:
        for block in _blocks(path):
            is_empty = is_empty and not block.strip()
            if not is_empty:
                parser.Parse(block, False)
        if is_empty:
            raise LabelError.in_file(path, "this file is empty. Restore it from a copy, or remove it.")
        parser.Parse("", True)
    except expat.ExpatError as error:
        raise broken_xml(path, error) from error


def _check(path: Path) -> None:
    """Raise LabelError for broken XML. Without handlers of elements, this takes little time."""
    _feed(path, new_parser(path))


class _Stream:
    """The handlers of an expat parser that pass elements on."""

    def __init__(self, path: Path, handler: XmlHandler) -> None:
        self._path, self._handler = path, handler
        self._parser = new_parser(path)
        self._parser.StartElementHandler = self._start
        self._parser.CharacterDataHandler = self._add_text
        self._parser.EndElementHandler = self._end
        self._text: list[str] = []
        self._depth = 0
        self._is_leaf = False

    def parse(self) -> None:
        """Parse the file."""
        _feed(self._path, self._parser)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_deep(self._path, self._parser)
        self._text, self._is_leaf = [], True
        self._handler.start(tag, attributes, self._parser.CurrentLineNumber)

    def _add_text(self, text: str) -> None:
        if self._is_leaf:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._handler.end(tag, "".join(self._text) if self._is_leaf else "")
        self._is_leaf = False

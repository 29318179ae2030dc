"""The expat parser that all XML files are read with: safe against files that expand to gigabytes."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from boxmask.errors import LabelError

MAX_DEPTH = 64
"""Elements inside one another. Label files have about four."""


def new_parser(path: Path) -> expat.XMLParserType:
    """A parser for the text of a file, passed as str, so that the encoding that it declares is ignored.

    It raises LabelError for entities that the file declares, because a few lines of them can expand to
    gigabytes, and for those that are not defined.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse_declaration(name: str, *_: object) -> None:
        reason = f"the file declares an entity of its own, {name}; label files need none"
        raise error_here(path, parser, reason)

    def refuse_entity(name: str, _: bool) -> None:
        raise error_here(path, parser, f"&{name}; is not defined; write the character itself")

    parser.EntityDeclHandler = refuse_declaration
    parser.SkippedEntityHandler = refuse_entity
    return parser


def error_here(path: Path, parser: expat.XMLParserType, reason: str) -> LabelError:
    """An error at the place where the parser is."""
    return LabelError.in_file(path, reason, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)


def too_deep(path: Path, parser: expat.XMLParserType) -> LabelError:
    """The error for more than `MAX_DEPTH` elements inside one another."""
    return error_here(path, parser, f"over {MAX_DEPTH} elements inside one another, unlike in label files")


def broken_xml(path: Path, error: expat.ExpatError) -> LabelError:
    """The error for text that is no XML."""
    reason = expat.ErrorString(error.code)
    return LabelError.in_file(path, f"broken XML ({reason})", error.lineno, error.offset + 1)

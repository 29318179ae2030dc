"""The mark inside the files that boxmask writes. It identifies them as results wherever they are copied.

Pictures and XML files carry it as a comment, JSON files as a field. In JSON and XML it also holds a digest of
the document: once the document is corrected, the digest no longer fits, and the file counts as the user's.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

MARK = "Written by boxmask: a result, not a photo or label."
MARK_KEY = "boxmask"  # the key of the comment in PNG files, and of the field in LabelMe files
MARKED_SUFFIXES = (".jpg", ".jpeg", ".png", ".json", ".xml")
_HEAD = 4096  # bytes that are searched for the mark; all writers put it near the start
_DIGEST = "digest"


def png_mark() -> PngInfo:
    """The mark as a text chunk for Pillow's `pnginfo`."""
    from PIL.PngImagePlugin import PngInfo

    chunk = PngInfo()
    chunk.add_text(MARK_KEY, MARK)
    return chunk


def mark_document(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The document with the mark under `key`, as its first field."""
    return {key: {"description": MARK, _DIGEST: _document_digest(document)}} | document


def mark_xml(text: str) -> str:
    """The text of an XML file without a declaration, with the mark as a comment in its first line."""
    return f"{_xml_comment(text)}\n{text}"


def is_marked(path: Path) -> bool:
    """Whether the file carries the mark; False for a JSON or XML file that was changed since."""
    suffix = path.suffix.lower()
    if suffix not in MARKED_SUFFIXES or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            found = MARK.encode() in file.read(_HEAD)
        return found and (suffix not in _IS_VALID or _IS_VALID[suffix](path))
    except OSError:  # the reader of the file reports it
        return False


def _has_valid_comment(path: Path) -> bool:
    """Whether an XML file is unchanged since boxmask marked it. Ends of lines do not count."""
    try:
        comment, _, text = path.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError:
        return False
    return comment == _xml_comment(text)


def _xml_comment(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"<!-- {MARK} {_DIGEST}: {digest} -->"


def _has_valid_mark(path: Path) -> bool:
    """Whether a JSON file is unchanged since boxmask marked it."""
    try:
        document = json.loads(path.read_bytes())
        return isinstance(document, dict) and any(
            isinstance(value, dict)
            and value.get("description") == MARK
            and value.get(_DIGEST) == _document_digest({k: v for k, v in document.items() if k != key})
            for key, value in document.items()
        )
    except (ValueError, RecursionError):
        return False


def _document_digest(document: dict[str, Any]) -> str:
    """A digest of the content that does not depend on spaces or the order of keys."""
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


_IS_VALID = {".json": _has_valid_mark, ".xml": _has_valid_comment}

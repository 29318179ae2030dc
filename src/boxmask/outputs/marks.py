"""The mark inside the files that boxmask writes. It identifies them as results wherever they are copied.

Pictures carry it as a comment, JSON files as a field. The field also holds a digest of the document: once the
document is corrected, the digest no longer fits, and the file counts as the user's.
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
MARKED_SUFFIXES = (".jpg", ".jpeg", ".png", ".json")
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


def is_marked(path: Path) -> bool:
    """Whether the file carries the mark; False for a JSON file that was changed since."""
    suffix = path.suffix.lower()
    if suffix not in MARKED_SUFFIXES or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            found = MARK.encode() in file.read(_HEAD)
        return found and (suffix != ".json" or _has_valid_mark(path))
    except OSError:  # the reader of the file reports it
        return False


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

"""Text as XML files hold it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from boxmask.errors import LabelError

_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def is_xml_text(text: str) -> bool:
    """Whether XML can hold all characters of a text."""
    return _FORBIDDEN.search(text) is None


def attribute_value(text: str) -> str:
    """A text in quotation marks. Line breaks and tabs are kept; forbidden characters become U+FFFD."""
    return quoteattr(_allowed(text))


def element_text(text: str) -> str:
    """A text between tags. Line breaks are kept; forbidden characters become U+FFFD."""
    return escape(_allowed(text), {"\r": "&#13;"})


def _allowed(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def xml_text(text: str, kind: str) -> str:
    """`element_text` for a text that must not change.

    kind: of text, such as "class name", for messages

    Raises LabelError for characters that XML cannot hold.
    """
    if found := _FORBIDDEN.search(text):
        character = f"U+{ord(found[0]):04X}"
        raise LabelError(
            f"the {kind} {text!r} holds the character {character}, which XML cannot hold. Rename it."
        )
    return element_text(text)


def is_tag(name: str) -> bool:
    """Whether a name may be that of an element."""
    return _TAG.fullmatch(name) is not None and not name.lower().startswith("xml")

"""Text as XML files hold it."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from boxmask.errors import LabelError

_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def xml_text(text: str, kind: str) -> str:
    """Escape a text.

    kind: of text, such as "class name", for messages

    Raises LabelError for characters that XML cannot hold.
    """
    if found := _FORBIDDEN.search(text):
        character = f"U+{ord(found[0]):04X}"
        raise LabelError(
            f"the {kind} {text!r} holds the character {character}, which XML cannot hold. Rename it."
        )
    return escape(text, {"\r": "&#13;"})


def is_tag(name: str) -> bool:
    """Whether a name may be that of an element."""
    return _TAG.fullmatch(name) is not None and not name.lower().startswith("xml")

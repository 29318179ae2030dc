"""Text in XML that CVAT reads."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 cannot hold, not even by their number."""


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

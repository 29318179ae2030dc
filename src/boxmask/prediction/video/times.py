"""Times of a video as text."""

from __future__ import annotations

import re


def format_time(seconds: float) -> str:
    """A time as players show it, with tenths of seconds: "0:03.2", "1:02:03.0"."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{rest // 10:02}.{rest % 10}"


def parse_time(text: str) -> float | None:
    """The seconds of a time such as "0:01:05.5"; None for another text."""
    match = re.fullmatch(r"(\d{1,9}):(\d\d):(\d\d(?:\.\d{1,12})?)", text, re.ASCII)
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3]) if match else None

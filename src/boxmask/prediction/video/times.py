"""Times of a video as text."""

from __future__ import annotations


def format_time(seconds: float) -> str:
    """A time as players show it, with tenths of seconds: "0:03.2", "1:02:03.0"."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{rest // 10:02}.{rest % 10}"

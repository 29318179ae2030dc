"""The part of a scaled photo that is visible, one side at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SideCrop:
    """The visible part of one side of a photo.

    begin, end: the pixels that are kept, `end` exclusive
    inner:      the number of pixels that they are resized to
    before:     pixels of padding before them
    """

    begin: int
    end: int
    inner: int
    before: int

    @staticmethod
    def from_scale(side: int, result: int, scale: float, position: float) -> SideCrop:
        """For `result` pixels of a side scaled by `scale`, from its start (position 0) to its end (1)."""
        kept = max(1, round(result / scale))
        if kept <= side:
            begin = round(position * (side - kept))
            return SideCrop(begin, begin + kept, result, 0)
        inner = min(result, max(1, round(side * scale)))
        return SideCrop(0, side, inner, round(position * (result - inner)))

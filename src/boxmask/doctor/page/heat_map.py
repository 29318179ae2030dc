"""Where in the photo the boxes lie, as shades of a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

_LEVELS = 8


@dataclass(frozen=True, slots=True)
class HeatLevel:
    """The cells of one shade."""

    number: int
    path: str


def heat_levels(grid: Sequence[Sequence[int]]) -> Iterator[HeatLevel]:
    """The cells of each shade as one path of rectangles, a rectangle per run of equal cells."""
    most = max((max(row) for row in grid), default=0)
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(grid):
        x = 0
        for level, cells in groupby(row, lambda count: _level(count, most)):
            length = len(list(cells))
            if level:
                paths.setdefault(level, []).append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    for level, rectangles in sorted(paths.items()):
        yield HeatLevel(level, "".join(rectangles))


def _level(count: int, most: int) -> int:
    return -(-count * _LEVELS // most) if most else 0  # rounded up: 0 is left blank


def describe_places(grid: Sequence[Sequence[int]]) -> str:
    """Which ninth of the photo has most boxes, in words."""
    edges = [len(grid) * part // 3 for part in range(4)]
    sums = {
        f"{row} {column}".replace("middle center", "center"): sum(
            sum(cells[edges[x] : edges[x + 1]]) for cells in grid[edges[y] : edges[y + 1]]
        )
        for y, row in enumerate(("upper", "middle", "lower"))
        for x, column in enumerate(("left", "center", "right"))
    }
    if not any(sums.values()):
        return "No boxes."
    return f"A map of the photo. Most boxes lie in the {max(sums, key=sums.__getitem__)} part."

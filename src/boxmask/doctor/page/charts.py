"""The summary of the data as numbers, tables and plots, with all coordinates worked out for the template."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from boxmask.data.checks.summary import ClassCount, Histogram, PhotoSize, SplitCount, Summary
from boxmask.messages import format_count, format_percent

MAX_CLASSES = 100
"""Rows of the table of classes."""

_MAX_PHOTO_SIZES = 8
_WIDTH, _TOP, _BASE = 320, 24, 164
_HEAT_LEVELS = 8
_DIGIT_WIDTH = 6.0
"""Of a character in a plot, about."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a class's bar that one split takes, in percent of the longest bar."""

    number: int
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One row of the table of classes."""

    name: str
    objects: tuple[int, ...]
    total: int
    photos: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram. label: above it; words: its bin and count."""

    x: float
    y: float
    width: float
    height: float
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A histogram. words: for those who do not see it."""

    title: str
    explanation: str
    words: str
    width: int
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class HeatLevel:
    """The cells of one shade."""

    number: int
    path: str


@dataclass(frozen=True, slots=True)
class Charts:
    """All that the template draws of a summary."""

    numbers: tuple[Number, ...]
    num_photos: int
    splits: tuple[SplitCount, ...]
    classes: tuple[ClassRow, ...]
    more_classes: int
    histograms: tuple[Plot, ...]
    grid: int
    heat: tuple[HeatLevel, ...]
    heat_words: str
    photo_sizes: tuple[PhotoSize, ...]
    more_sizes: int


def make_charts(summary: Summary) -> Charts:
    """The charts of a summary."""
    shown_sizes = summary.photo_sizes[:_MAX_PHOTO_SIZES]
    return Charts(
        numbers=tuple(_numbers(summary)),
        num_photos=summary.photos,
        splits=summary.splits,
        classes=tuple(_class_rows(summary.classes[:MAX_CLASSES])),
        more_classes=max(0, len(summary.classes) - MAX_CLASSES),
        histograms=tuple(_histograms(summary)),
        grid=len(summary.heat_map),
        heat=tuple(_heat_levels(summary.heat_map)),
        heat_words=_heat_words(summary.heat_map),
        photo_sizes=shown_sizes,
        more_sizes=len(summary.photo_sizes) - len(shown_sizes) + summary.other_photo_sizes,
    )


# ---------------------------------------------------------------- numbers and classes


def _numbers(summary: Summary) -> Iterator[Number]:
    yield Number("Photos", f"{summary.photos:,}")
    yield Number("Objects", f"{summary.objects:,}")
    yield Number("Classes", f"{len(summary.classes):,}")
    if summary.photos:
        empty = sum(split.photos_without_objects for split in summary.splits)
        yield Number("Objects per photo", f"{summary.objects / summary.photos:.3g}")
        yield Number("Photos without objects", f"{empty:,} ({format_percent(empty / summary.photos)})")
    if summary.median_box is not None:
        width, height = summary.median_box
        yield Number("Median box", f"{width:.4g} × {height:.4g} px")
        yield Number("Small, medium, large", " / ".join(f"{n:,}" for n in summary.box_sizes.values()))
    counts = {
        "With a mask": summary.with_outline,
        "Crowd regions": summary.crowd,
        "Marked difficult": summary.difficult,
        "Without a usable box": summary.unsound_boxes,
    }
    yield from (Number(name, f"{count:,}") for name, count in counts.items() if count)


def _class_rows(classes: Sequence[ClassCount]) -> Iterator[ClassRow]:
    longest = max((sum(row.objects) for row in classes), default=0) or 1
    for row in classes:
        starts = [0]
        for count in row.objects:
            starts.append(starts[-1] + count)
        parts = tuple(
            Part(number, round(100 * start / longest, 2), round(100 * (end - start) / longest, 2))
            for number, (start, end) in enumerate(pairwise(starts))
            if end > start
        )
        yield ClassRow(row.name, row.objects, sum(row.objects), sum(row.photos), parts)


# ---------------------------------------------------------------- histograms


def _histograms(summary: Summary) -> Iterator[Plot]:
    per_photo = summary.objects_per_photo
    bins = [_whole_bin(low, high) for low, high in pairwise(per_photo.edges)]
    yield _plot("Objects per photo", "photos by their number of objects", per_photo, bins, "photo")
    sides = summary.box_sides
    percent = [f"{100 * edge:.0f}" for edge in sides.edges]
    bins = [f"{low} to {high} %" for low, high in pairwise(percent)]
    explanation = "side of a square of the same area, in percent of the photo's"
    yield _plot("Sizes of boxes", explanation, sides, bins, "box", percent)
    ratios = summary.aspect_ratios
    edges = [_ratio(edge) for edge in ratios.edges]
    bins = [f"{low} to {high}" for low, high in pairwise(edges)]
    yield _plot("Aspect ratios of boxes", "width divided by height", ratios, bins, "box", edges)


def _whole_bin(low: float, high: float) -> str:
    return f"{low:.0f}" if high - low <= 1 else f"{low:.0f}–{high - 1:.0f}"


def _ratio(edge: float) -> str:
    """1:5 for 0.2, 5 for 5."""
    return f"1:{1 / edge:.2g}" if edge < 0.95 else f"{edge:.2g}"


def _plot(
    title: str,
    explanation: str,
    histogram: Histogram,
    bins: Sequence[str],
    noun: str,
    edges: Sequence[str] | None = None,
) -> Plot:
    """A histogram with the names of its bins below the bars, or those of its edges between them."""
    counts = histogram.counts
    width, most = _WIDTH / max(1, len(counts)), max(counts, default=0) or 1
    bars = tuple(
        _bar(number * width, width, count, most, f"{name}: {format_count(count, noun)}")
        for number, (name, count) in enumerate(zip(bins, counts, strict=True))
    )
    ticks = _ticks(bins, width / 2, width) if edges is None else _ticks(edges, 0, width)
    words = f"{title}. " + "; ".join(bar.words for bar, count in zip(bars, counts, strict=True) if count)
    return Plot(title, explanation, words, _WIDTH, bars, tuple(ticks))


def _bar(x: float, width: float, count: int, most: int, words: str) -> Bar:
    height = max((_BASE - _TOP) * count / most, 1.5) if count else 0.0
    text = f"{count:,}"
    label = text if count and len(text) * _DIGIT_WIDTH <= width + 2 else ""
    return Bar(round(x, 2), round(_BASE - height, 2), round(width, 2), round(height, 2), label, words)


def _ticks(texts: Sequence[str], start: float, width: float) -> Iterator[Tick]:
    """Every tick, or every second, third, ... so that they do not overlap."""
    widest = max(map(len, texts), default=0) * _DIGIT_WIDTH
    step = max(1, math.ceil((widest + _DIGIT_WIDTH) / width))
    for number, text in list(enumerate(texts))[::step]:
        half = len(text) * _DIGIT_WIDTH / 2
        x = min(max(start + number * width, half), _WIDTH - half)  # within the plot
        yield Tick(round(x, 2), text)


# ---------------------------------------------------------------- places


def _heat_levels(grid: Sequence[Sequence[int]]) -> Iterator[HeatLevel]:
    """The cells of each shade as one path of rectangles, a rectangle per run of equal cells."""
    most = max((max(row) for row in grid), default=0)
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(grid):
        x = 0
        for level, cells in groupby(row, lambda count: _heat_level(count, most)):
            length = len(list(cells))
            if level:
                paths.setdefault(level, []).append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    for level, rectangles in sorted(paths.items()):
        yield HeatLevel(level, "".join(rectangles))


def _heat_level(count: int, most: int) -> int:
    return -(-count * _HEAT_LEVELS // most) if most else 0  # rounded up: 0 is left blank


def _heat_words(grid: Sequence[Sequence[int]]) -> str:
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

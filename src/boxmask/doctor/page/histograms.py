"""Histograms of the summary, with all coordinates worked out for the template."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boxmask.data.checks.summary import Histogram, Summary
from boxmask.messages import format_count

_WIDTH, _TOP, _BASE = 320, 24, 164
_DIGIT_WIDTH = 6.0
"""Of a character in a plot, about."""


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


def make_histograms(summary: Summary) -> Iterator[Plot]:
    """Objects per photo, and sizes and aspect ratios of boxes."""
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
    label = text if count == most or (count and len(text) * _DIGIT_WIDTH <= width - 1) else ""
    return Bar(round(x, 2), round(_BASE - height, 2), round(width, 2), round(height, 2), label, words)


def _ticks(texts: Sequence[str], start: float, width: float) -> Iterator[Tick]:
    """Every tick, or every second, third, ... so that they do not overlap."""
    widest = max(map(len, texts), default=0) * _DIGIT_WIDTH
    step = max(1, math.ceil((widest + _DIGIT_WIDTH) / width))
    for number, text in list(enumerate(texts))[::step]:
        half = len(text) * _DIGIT_WIDTH / 2
        x = min(max(start + number * width, half), _WIDTH - half)  # within the plot
        yield Tick(round(x, 2), text)

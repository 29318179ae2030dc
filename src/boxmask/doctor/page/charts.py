"""The summary of the data as numbers and tables, with all that the template needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boxmask.data.checks.summary import ClassCount, PhotoSize, SplitCount, Summary
from boxmask.doctor.page.heat_map import HeatLevel, describe_places, heat_levels
from boxmask.doctor.page.histograms import Plot, make_histograms
from boxmask.messages import format_percent

MAX_CLASSES = 25
"""Rows of the table of classes that are shown at first."""

MAX_MORE_CLASSES = 1000
"""Further rows, which are folded."""

_MAX_PHOTO_SIZES = 8


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
class Charts:
    """All that the template draws of a summary. Classes are sorted, those with most objects first."""

    numbers: tuple[Number, ...]
    has_boxes: bool
    num_photos: int
    splits: tuple[SplitCount, ...]
    classes: tuple[ClassRow, ...]
    folded_classes: tuple[ClassRow, ...]
    more_classes: int
    histograms: tuple[Plot, ...]
    grid: int
    heat: tuple[HeatLevel, ...]
    heat_words: str
    photo_sizes: tuple[PhotoSize, ...]
    more_sizes: int
    unknown_sizes: int


def make_charts(summary: Summary, has_boxes: bool = True) -> Charts:
    """The charts of a summary.

    has_boxes: False for classes of whole photos
    """
    shown_sizes = summary.photo_sizes[:_MAX_PHOTO_SIZES]
    most_common_first = sorted(summary.classes, key=lambda row: -sum(row.objects))
    rows = tuple(_class_rows(most_common_first[: MAX_CLASSES + MAX_MORE_CLASSES]))
    return Charts(
        numbers=tuple(_numbers(summary, has_boxes)),
        has_boxes=has_boxes,
        num_photos=summary.photos,
        splits=summary.splits,
        classes=rows[:MAX_CLASSES],
        folded_classes=rows[MAX_CLASSES:],
        more_classes=len(summary.classes) - len(rows),
        histograms=tuple(make_histograms(summary)),
        grid=len(summary.heat_map),
        heat=tuple(heat_levels(summary.heat_map)),
        heat_words=describe_places(summary.heat_map),
        photo_sizes=shown_sizes,
        more_sizes=len(summary.photo_sizes) - len(shown_sizes) + summary.other_photo_sizes,
        unknown_sizes=summary.photos_of_unknown_size,
    )


def _numbers(summary: Summary, has_boxes: bool) -> Iterator[Number]:
    yield Number("Photos", f"{summary.photos:,}")
    yield from _numbers_of_objects(summary) if has_boxes else ()
    yield Number("Classes", f"{len(summary.classes):,}")
    if has_boxes and summary.photos:
        empty = sum(split.photos_without_objects for split in summary.splits)
        yield Number("Photos without objects", f"{empty:,} ({format_percent(empty / summary.photos)})")
    counts = {
        "With a mask": summary.with_outline,
        "Crowd regions": summary.crowd,
        "Marked difficult": summary.difficult,
        "Without a usable box": summary.unsound_boxes,
    }
    yield from (Number(name, f"{count:,}") for name, count in counts.items() if count)


def _numbers_of_objects(summary: Summary) -> Iterator[Number]:
    yield Number("Objects", f"{summary.objects:,}")
    if summary.photos:
        yield Number("Objects per photo", f"{summary.objects / summary.photos:.3g}")
    if summary.median_box is not None:
        width, height = summary.median_box
        yield Number("Median box", f"{width:.4g} × {height:.4g} px")
        yield Number("Small, medium, large", " / ".join(f"{n:,}" for n in summary.box_sizes.values()))


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

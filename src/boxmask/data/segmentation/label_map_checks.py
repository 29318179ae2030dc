"""Check label maps against their photos and classes, before training learns from wrong labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import LABEL_MAP_SIZE, PHOTO_RESIZED
from boxmask.data.segmentation.classes_file import LabelMapClasses, format_value
from boxmask.data.segmentation.label_map_kinds import (
    COUNTS_FROM_ONE,
    INDEX_255_UNCLEAR,
    LABEL_MAP_BLANK,
    LABEL_MAP_COLOR_UNKNOWN,
    LABEL_MAP_INVERTED,
    PALETTES_DIFFER,
)
from boxmask.data.segmentation.label_map_values import describe_values, format_share, total_pixels
from boxmask.data.segmentation.label_maps import LabelMapSummary
from boxmask.masks import IGNORED
from boxmask.messages import format_note

_WHITE = 0xFFFFFF
_BACKGROUND_NAMES = {"background", "_background_", "bg", "other", "unlabeled", "void"}
_SAME_SIZE = 0.02  # factors nearer to 1 are no scale, but other errors
_SMALL_BACKGROUND = 0.05  # of the pixels: below it, a mask of one object may be inverted

# ---------------------------------------------------------------- sizes


def check_label_map_sizes(
    root: Path,
    photos: Sequence[str],
    files: Sequence[str],
    summaries: Sequence[LabelMapSummary],
    sizes: NDArray[np.int32],
    findings: Findings,
) -> None:
    """Find label maps that are not as large as their photo.

    If all label maps differ from their photos by one factor, they are resized to them, with a warning.

    sizes: (P, 2) heights and widths of the photos as shown
    """
    map_sizes = np.array([summary.size for summary in summaries], dtype=np.int64).reshape(-1, 2)
    factor = _common_factor(map_sizes, sizes)
    kind = LABEL_MAP_SIZE if factor is None else PHOTO_RESIZED
    times = "" if factor is None else f": {factor:.3g} times"
    for file, photo, map_size, size in zip(files, photos, map_sizes.tolist(), sizes.tolist(), strict=True):
        if map_size != size:
            detail = f"{map_size[1]} × {map_size[0]}, its photo {photo} is {size[1]} × {size[0]}{times}"
            findings.add(Finding(kind, Location(str(root / file)), detail, photo))


def _common_factor(map_sizes: NDArray[np.int64], sizes: NDArray[np.int32]) -> float | None:
    """The factor between all label maps and their photos, up to rounding; None if there is none."""
    if not len(sizes):
        return None
    factor = float(map_sizes.sum() / sizes.sum())
    all_differ = bool((map_sizes != sizes).any(axis=1).all())
    fits = all_differ and bool(np.abs(map_sizes - factor * sizes).max() <= 1)
    return factor if fits and abs(factor - 1) > _SAME_SIZE else None


# ---------------------------------------------------------------- values


def check_label_map_values(
    root: Path,
    summaries: Sequence[LabelMapSummary],
    files: Sequence[str],
    classes: LabelMapClasses,
    findings: Findings,
) -> None:
    """Check that the values of the label maps mean what the classes file says.

    Found are values that the file does not name, palettes that contradict each other, and a class without
    pixels beside an index 255 that would be ignored.
    """
    _check_palettes(root, summaries, files, findings)
    _check_ignored_index(summaries, classes, findings)
    described = describe_values(summaries, files, classes.by_color)
    unknown = {value: text for value, text in described.items() if value not in classes.labels}
    hint = _hint(sorted(described), sorted(unknown), classes) if unknown else ""
    for value, (file, text) in unknown.items():
        advice = f". {hint}Add {_line(value, classes)}"
        location = Location(str(root / file))
        findings.add(Finding(LABEL_MAP_COLOR_UNKNOWN, location, text + advice))
        hint = ""


def _line(value: int, classes: LabelMapClasses) -> str:
    """A line of a classes file for a value."""
    shown = format_value(value, classes.by_color)
    if classes.names_only:
        first = classes.names[0]
        return f"a line `name,{shown}`, and the other classes with their index, such as `{first},0`"
    return f"a line `name {shown}`" if classes.by_color else f"a line `name,{shown}`"


def _hint(values: list[int], unknown: list[int], classes: LabelMapClasses) -> str:
    """A guess at why values are unknown, with the lines that would name them; "" without one."""
    names, count = classes.names, len(classes.labels)
    if classes.names_only and len(values) == len(names) and IGNORED not in values:
        lines = "".join(f"\n{name},{value}" for name, value in zip(names, values, strict=True))
        return f"Without values, names count from 0. If the indices follow their order, write:{lines}\n"
    if classes.names_only and values == list(range(len(names) + 1)):
        return (
            "Without values, names count from 0, and there is one more index than names. Write `background` "
            "as the first line if 0 is the background, or `unlabeled ignore` if it is not labeled.\n"
        )
    if classes.by_color and all(value % 0x010101 == 0 and value // 0x010101 < count for value in values):
        return (
            "These grays look like indices. If they are, write names only, in their order: "
            f"{', '.join(names)}.\n"
        )
    if classes.by_color and len(unknown) > 2 * count:
        return (
            "That many colors usually come from smoothing, or from JPEG, which blurs the borders between "
            "classes. Export the label maps without it, as PNG.\n"
        )
    return ""


def _check_palettes(
    root: Path, summaries: Sequence[LabelMapSummary], files: Sequence[str], findings: Findings
) -> None:
    """Find indices that have different colors in different label maps: they mean no class."""
    first: dict[int, tuple[int, str]] = {}
    for summary, file in zip(summaries, files, strict=True):
        for index, color in summary.palette.items():
            known, known_file = first.setdefault(index, (color, file))
            if known != color:
                detail = f"index {index} is {known:06X} in {known_file} and {color:06X} in {file}"
                findings.add(Finding(PALETTES_DIFFER, Location(str(root / file)), detail))


def _check_ignored_index(
    summaries: Sequence[LabelMapSummary], classes: LabelMapClasses, findings: Findings
) -> None:
    """Find a class without pixels beside a white index 255 with some, which the file does not name.

    Index 255 then most likely is that class, as in masks of 0 and 255. Pascal VOC's 255 is not white.
    """
    if not classes.assumes_255:
        return
    pixels = total_pixels(summaries)
    absent = [name for name in classes.names if not _pixels_of(name, classes, pixels)]
    white = {summary.palette.get(IGNORED, _WHITE) for summary in summaries} == {_WHITE}
    if not (absent and pixels.get(IGNORED) and white):
        return
    share = format_share(pixels[IGNORED] / sum(pixels.values()))
    detail = (
        f'no label map shows "{absent[0]}", and index 255, which counts as not labeled, has '
        f"{share} of all pixels. If 255 is a class, write the colors of the classes:\n"
        f"{_color_lines(sorted(pixels), classes, absent)}\n"
        "If 255 is not labeled, write the indices of the classes and say so:\n"
        f"{_index_lines(classes)}"
    )
    findings.add(Finding(INDEX_255_UNCLEAR, Location(classes.file), detail))


def _color_lines(values: list[int], classes: LabelMapClasses, absent: list[str]) -> str:
    """The lines of a classes file with the colors of gray label maps; 255 is the first absent class."""
    by_order = dict(zip(classes.names, values, strict=False)) if len(values) == len(classes.names) else {}
    index_of = {classes.names[label]: index for index, label in classes.labels.items() if label != IGNORED}
    index_of |= by_order or {absent[0]: IGNORED}
    return "\n".join(f"{name} {index_of[name] * 0x010101:06X}" for name in classes.names)


def _index_lines(classes: LabelMapClasses) -> str:
    lines = [f"{classes.names[label]},{i}" for i, label in classes.labels.items() if label != IGNORED]
    return "\n".join([*lines, f"unlabeled,{IGNORED},ignore"])


def _pixels_of(name: str, classes: LabelMapClasses, pixels: dict[int, int]) -> int:
    label = classes.names.index(name)
    return sum(count for value, count in pixels.items() if classes.labels.get(value) == label)


# ---------------------------------------------------------------- classes


def check_classes(
    root: Path,
    pixel_counts: NDArray[np.int64],
    photos: Sequence[str],
    files: Sequence[str],
    classes: LabelMapClasses,
    findings: Findings,
) -> tuple[str, ...]:
    """Find label maps that show no class, and signs of inverted masks and of indices that count from 1.

    pixel_counts: (P, K)

    Returns a note on the classes that no label map shows.
    """
    total = pixel_counts.sum(axis=0)
    absent = [name for name, count in zip(classes.names, total.tolist(), strict=True) if not count]
    for photo, file, counts in zip(photos, files, pixel_counts, strict=True):
        if not counts.any():
            findings.add(Finding(LABEL_MAP_BLANK, Location(str(root / file)), photo=photo))
    _check_counting_from_1(absent, classes, findings)
    _check_inversion(total, classes, findings)
    return format_note(f"classes of {classes.file} that no label map shows", absent)


def _check_counting_from_1(absent: list[str], classes: LabelMapClasses, findings: Findings) -> None:
    first = classes.names[0]
    if classes.names_only and first in absent and classes.labels.get(0) == 0:
        detail = f'no pixel has index 0, "{first}". To count from 1, write `{first},1` and so on'
        findings.add(Finding(COUNTS_FROM_ONE, Location(classes.file), detail))


def _check_inversion(total: NDArray[np.int64], classes: LabelMapClasses, findings: Findings) -> None:
    shares = dict(zip(classes.names, (total / max(1, total.sum())).tolist(), strict=True))
    for name, share in shares.items():
        if len(shares) == 2 and name.lower() in _BACKGROUND_NAMES and 0 < share < _SMALL_BACKGROUND:
            detail = f'"{name}" has only {format_share(share)} of the labeled pixels'
            findings.add(Finding(LABEL_MAP_INVERTED, Location(classes.file), detail))

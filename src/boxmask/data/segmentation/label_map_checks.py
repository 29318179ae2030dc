"""Check label maps against their photos and classes, before training learns from wrong labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxmask.data.segmentation.classes_file import LabelMapClasses, format_value
from boxmask.data.segmentation.label_map_values import describe_values, format_share, total_pixels
from boxmask.data.segmentation.label_maps import LabelMapSummary, OnUnknownColors
from boxmask.errors import LabelError
from boxmask.masks import IGNORED
from boxmask.messages import format_count, format_errors, format_note
from boxmask.options import option

_WHITE = 0xFFFFFF
_BACKGROUND_NAMES = {"background", "_background_", "bg", "other", "unlabeled", "void"}
_SAME_SIZE = 0.02  # factors nearer to 1 are no scale, but other errors
_SMALL_BACKGROUND = 0.05  # of the pixels: below it, a mask of one object may be inverted


# ---------------------------------------------------------------- sizes


def check_sizes(
    photos: Sequence[str],
    files: Sequence[str],
    summaries: Sequence[LabelMapSummary],
    sizes: NDArray[np.int32],
) -> tuple[str, ...]:
    """Check that each label map is as large as its photo.

    If all label maps differ from their photos by one factor, they are resized to them, with a note.
    Raises LabelError for any other difference.

    sizes: (P, 2) heights and widths of the photos as shown
    """
    map_sizes = np.array([summary.size for summary in summaries], dtype=np.int64).reshape(-1, 2)
    differing = [
        f"{file} is {width} × {height}, its photo {photo} is {photo_width} × {photo_height}"
        for file, photo, (height, width), (photo_height, photo_width) in zip(
            files, photos, map_sizes.tolist(), sizes.tolist(), strict=True
        )
        if (height, width) != (photo_height, photo_width)
    ]
    if not differing:
        return ()
    factor = _common_factor(map_sizes, sizes)
    if factor is not None:
        heading = f"all label maps are {factor:.3g} times as large as their photos, and are resized to them"
        return format_note(heading, differing)
    remedy = (
        "A label map has one pixel for each pixel of its photo as shown, with the EXIF orientation "
        "applied. Export these at the size of the photo, without smoothing."
    )
    raise LabelError(format_errors("Label maps that differ in size from their photo", differing, remedy))


def _common_factor(map_sizes: NDArray[np.int64], sizes: NDArray[np.int32]) -> float | None:
    """The factor between all label maps and their photos, up to rounding; None if there is none."""
    factor = float(map_sizes.sum() / sizes.sum())
    all_differ = bool((map_sizes != sizes).any(axis=1).all())
    fits = all_differ and bool(np.abs(map_sizes - factor * sizes).max() <= 1)
    return factor if fits and abs(factor - 1) > _SAME_SIZE else None


# ---------------------------------------------------------------- values


def check_values(
    summaries: Sequence[LabelMapSummary],
    files: Sequence[str],
    classes: LabelMapClasses,
    on_unknown_colors: OnUnknownColors,
) -> tuple[str, ...]:
    """Check that the values of the label maps mean what the classes file says; returns notes.

    Raises LabelError for values that the file does not name (unless they are skipped), for palettes that
    contradict each other, and for a class without pixels beside an index 255 that would be ignored.
    """
    _check_palettes(summaries, files)
    _check_ignored_index(summaries, classes)
    described = describe_values(summaries, files, classes.by_color)
    unknown = {value: text for value, text in described.items() if value not in classes.labels}
    kind = "colors" if classes.by_color else "indices"
    if unknown and on_unknown_colors == "error":
        heading = f"{kind.capitalize()} that {classes.file} does not name"
        remedy = (
            f"{_hint(sorted(described), sorted(unknown), classes)}{_remedy(next(iter(unknown)), classes)}"
        )
        raise LabelError(format_errors(heading, list(unknown.values()), remedy))
    heading = f"{kind} that {classes.file} does not name count as not labeled"
    return format_note(heading, list(unknown.values()))


def _remedy(example: int, classes: LabelMapClasses) -> str:
    value = format_value(example, classes.by_color)
    line = f"name {value}" if classes.by_color else f"name,{value}"
    if classes.names_only:
        line = f"{line}`, and the other classes with their index, such as `{classes.names[0]},0"
    return (
        f"Add them to {classes.file} (a line `{line}`, with `ignore` at its end if these pixels are not "
        f"labeled), or treat them as not labeled with {option('on_unknown_colors', 'skip')}."
    )


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


def _check_palettes(summaries: Sequence[LabelMapSummary], files: Sequence[str]) -> None:
    """Raise LabelError if an index has different colors in different label maps: it means no class."""
    first: dict[int, tuple[int, str]] = {}
    errors = []
    for summary, file in zip(summaries, files, strict=True):
        for index, color in summary.palette.items():
            known, known_file = first.setdefault(index, (color, file))
            if known != color:
                errors.append(f"index {index} is {known:06X} in {known_file} and {color:06X} in {file}")
    if errors:
        remedy = (
            "Each file has its own palette, so that the same index may be another class. Name the classes by "
            "their colors (name RRGGBB) in the classes file."
        )
        raise LabelError(format_errors("Indices with different colors", errors, remedy))


def _check_ignored_index(summaries: Sequence[LabelMapSummary], classes: LabelMapClasses) -> None:
    """Raise LabelError if a class has no pixel and a white index 255, which the file does not name, has some.

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
    raise LabelError(
        f'{classes.file}: no label map shows "{absent[0]}", and index 255, which counts as not labeled, has '
        f"{share} of all pixels. If 255 is a class, write the colors of the classes:\n"
        f"{_color_lines(sorted(pixels), classes, absent)}\n"
        "If 255 is not labeled, write the indices of the classes and say so:\n"
        f"{_index_lines(classes)}"
    )


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


def notes_on_classes(
    pixel_counts: NDArray[np.int64], files: Sequence[str], classes: LabelMapClasses
) -> tuple[str, ...]:
    """Notes on classes that no label map shows, and on label maps that show none.

    pixel_counts: (P, K)

    Raises LabelError if no label map shows any class.
    """
    total = pixel_counts.sum(axis=0)
    if not total.any():
        raise LabelError(f"{classes.file}: no pixel of any label map has a class of this file.")
    absent = [name for name, count in zip(classes.names, total.tolist(), strict=True) if not count]
    empty = [file for file, counts in zip(files, pixel_counts, strict=True) if not counts.any()]
    return (
        *format_note(f"classes of {classes.file} that no label map shows", absent),
        *_note_on_counting_from_1(absent, classes),
        *_note_on_inversion(total, classes),
        *format_note(f"{format_count(len(empty), 'label map')} without a labeled pixel", empty),
    )


def _note_on_counting_from_1(absent: list[str], classes: LabelMapClasses) -> tuple[str, ...]:
    first = classes.names[0]
    if not classes.names_only or first not in absent or classes.labels.get(0) != 0:
        return ()
    return (
        f'no pixel has index 0, "{first}": names without values count from 0. If the indices of the label '
        f"maps count from 1, write them in {classes.file}: `{first},1` and so on",
    )


def _note_on_inversion(total: NDArray[np.int64], classes: LabelMapClasses) -> tuple[str, ...]:
    shares = dict(zip(classes.names, (total / total.sum()).tolist(), strict=True))
    return tuple(
        f'"{name}" has only {format_share(share)} of the labeled pixels: check that no mask is inverted'
        for name, share in shares.items()
        if len(shares) == 2 and name.lower() in _BACKGROUND_NAMES and 0 < share < _SMALL_BACKGROUND
    )

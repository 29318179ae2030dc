"""The values in label maps, and a classes file to fill in for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.segmentation.classes_file import CLASSES_FILE_HELP, CLASSES_FILE_NAMES, format_value
from boxmask.data.segmentation.label_maps import LabelMapSummary
from boxmask.masks import IGNORED
from boxmask.options import option

MAX_LISTED = 32
"""Values listed in a message. Label maps with more values were smoothed, or number objects."""

_TOO_MANY = {
    "colors": "That many usually come from smoothing: export the label maps without it, as PNG.",
    "indices": "That many usually count objects. If these are classes, give a classes file with their names.",
}


def total_pixels(summaries: Sequence[LabelMapSummary]) -> dict[int, int]:
    """The number of pixels of each value in all label maps."""
    pixels: dict[int, int] = {}
    for summary in summaries:
        for value, count in zip(summary.values.tolist(), summary.pixel_counts.tolist(), strict=True):
            pixels[value] = pixels.get(value, 0) + count
    return pixels


def describe_values(
    summaries: Sequence[LabelMapSummary], files: Sequence[str], by_color: bool
) -> dict[int, tuple[str, str]]:
    """The first file that has each value, and a line on its share of all pixels; the most frequent first."""
    pixels = total_pixels(summaries)
    first: dict[int, str] = {}
    for summary, file in zip(summaries, files, strict=True):
        for value in summary.values.tolist():
            first.setdefault(value, file)
    total = sum(pixels.values())
    described = {}
    for value, count in sorted(pixels.items(), key=lambda item: (-item[1], item[0])):
        share = f"{format_share(count / total)} of all pixels"
        text = f"{format_value(value, by_color)}: {share}, first in {first[value]}"
        described[value] = (first[value], text)
    return described


def format_share(share: float) -> str:
    """A share of the pixels: 23.4%, 0.0046%."""
    return f"{share:.1%}" if share >= 0.001 else f"{share:.4%}"


# ---------------------------------------------------------------- without a classes file


def missing_classes_file_message(
    root: Path, summaries: Sequence[LabelMapSummary], files: Sequence[str], by_color: bool
) -> str:
    """The error for label maps without a classes file: the values found, and a file to fill in."""
    described = describe_values(summaries, files, by_color)
    kind = "colors" if by_color else "indices"
    shown = "".join(f"\n  {text}" for _, text in list(described.values())[:MAX_LISTED])
    message = (
        f"{root}: the classes of the label maps are unknown: there is no classes file (looked for "
        f"{', '.join(CLASSES_FILE_NAMES)}). The {len(files)} label maps have {len(described)} {kind}:{shown}"
    )
    if len(described) > MAX_LISTED:
        return f"{message}\n  and {len(described) - MAX_LISTED} more. {_TOO_MANY[kind]}"
    lines = "\n".join(_classes_file_lines(list(described) if by_color else sorted(described), by_color))
    return (
        f"{message}\nWrite {root / CLASSES_FILE_NAMES[0]}, or give a file with {option('classes_file')}, "
        f"with your names in place of class1, class2, ...:\n{lines}\n{CLASSES_FILE_HELP}"
    )


def _classes_file_lines(values: list[int], by_color: bool) -> list[str]:
    """A classes file for these values. Indices that look like gray levels are written as colors."""
    if by_color:
        return [f"class{number} {value:06X}" for number, value in enumerate(values, start=1)]
    named = [value for value in values if value != IGNORED]
    if named == list(range(len(named))) and len(named) > 1:
        return [f"class{number}" for number in range(1, len(named) + 1)]
    if max(values) <= IGNORED:
        return [f"class{number} {value * 0x010101:06X}" for number, value in enumerate(values, start=1)]
    return [f"class{number},{value}" for number, value in enumerate(values, start=1)]

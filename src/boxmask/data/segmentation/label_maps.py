"""The label maps of a data set: checked against photos and classes, and decoded on demand."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.messages import format_errors, format_note
from boxmask.data.segmentation.classes_file import (
    CLASSES_FILE_HELP,
    CLASSES_FILE_NAMES,
    LabelMapClasses,
    format_value,
)
from boxmask.data.segmentation.label_map_file import LabelMapRuns, read_header, read_label_map
from boxmask.errors import LabelError
from boxmask.types import IGNORED

OnUnknownColors = Literal["error", "skip"]
"""What to do with colors or indices that the classes file does not name: stop, or treat as not labeled."""

MAX_LISTED = 32
"""Values listed in a message. Label maps with more values were smoothed, or number objects."""

_TOO_MANY = {
    "colors": "That many usually come from smoothing: export the label maps without it, as PNG.",
    "indices": "That many usually count objects. If these are classes, give a classes file with their names.",
}
_THREADS = min(8, os.cpu_count() or 1)  # Pillow releases the interpreter lock while it decodes

_ResultT = TypeVar("_ResultT")


@dataclass(frozen=True)
class LabelMapsFromFiles:
    """Labels of P photos, read from their label maps on demand.

    files:     (P,) str, relative to `root`
    checksums: (P,) uint32, of the label maps when the data set was read
    """

    root: Path
    files: NDArray[np.str_]
    classes: LabelMapClasses
    on_unknown_colors: OnUnknownColors
    checksums: NDArray[np.uint32]

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, 0..K-1 or IGNORED. Raises LabelError for values that are new."""
        path = self.root / str(self.files[photo])
        runs = read_label_map(path, self.classes.by_color)
        unknown = [value for value in runs.values.tolist() if value not in self.classes.labels]
        if unknown and self.on_unknown_colors == "error":
            shown = format_value(unknown[0], self.classes.by_color)
            raise LabelError(f"{path}: {shown} is new since the data set was read. Read the data set again.")
        return runs.to_labels(_labels_of_values(runs, self.classes))

    def subset(self, photos: NDArray[np.int64]) -> LabelMapsFromFiles:
        """The labels of the given photos."""
        return replace(self, files=self.files[photos], checksums=self.checksums[photos])

    def fingerprint(self) -> bytes:
        """Changes with the label of any pixel."""
        meaning = json.dumps([self.classes.by_color, sorted(self.classes.labels.items())])
        return self.checksums.astype("<u4").tobytes() + meaning.encode()


def _labels_of_values(runs: LabelMapRuns, classes: LabelMapClasses) -> UInt8[np.ndarray, " V"]:
    labels = [classes.labels.get(value, IGNORED) for value in runs.values.tolist()]
    return np.array(labels, dtype=np.uint8)


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class LabelMapSummary:
    """The values of one label map, the number of pixels of each, and a checksum of the pixels."""

    values: NDArray[np.uint32]
    pixel_counts: NDArray[np.int64]
    checksum: int


def summarize_label_maps(root: Path, files: Sequence[str], by_color: bool) -> list[LabelMapSummary]:
    """Read every label map once."""

    def summarize(path: Path) -> LabelMapSummary:
        runs = read_label_map(path, by_color)
        content = runs.values[runs.value_of].astype("<u4").tobytes() + runs.lengths.astype("<i8").tobytes()
        return LabelMapSummary(runs.values, runs.counts(), zlib.crc32(content))

    return _in_threads(summarize, [root / file for file in files])


def count_pixels(summaries: Sequence[LabelMapSummary], classes: LabelMapClasses) -> NDArray[np.int64]:
    """(P, K) pixels of each class in each photo."""
    counts = np.zeros((len(summaries), IGNORED + 1), dtype=np.int64)
    for row, summary in zip(counts, summaries, strict=True):
        labels = [classes.labels.get(value, IGNORED) for value in summary.values.tolist()]
        np.add.at(row, labels, summary.pixel_counts)
    return counts[:, : len(classes.names)]


def _in_threads(function: Callable[[Path], _ResultT], paths: Sequence[Path]) -> list[_ResultT]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(function, paths))


# ---------------------------------------------------------------- checks


def check_sizes(
    root: Path, photos: Sequence[str], files: Sequence[str], sizes: NDArray[np.int32]
) -> list[str]:
    """Check that each label map is as large as its photo; returns Pillow's mode of each label map.

    sizes: (P, 2) heights and widths of the photos as shown
    """
    headers = _in_threads(read_header, [root / file for file in files])
    errors = [
        f"{file} is {width} × {height}, its photo {photo} is {photo_width} × {photo_height}"
        for file, photo, ((height, width), _), (photo_height, photo_width) in zip(
            files, photos, headers, sizes, strict=True
        )
        if (height, width) != (photo_height, photo_width)
    ]
    if errors:
        remedy = (
            "A label map has one pixel for each pixel of its photo as shown, with the EXIF orientation "
            "applied. Export these at the size of the photo, without smoothing."
        )
        raise LabelError(format_errors("Label maps that differ in size from their photo", errors, remedy))
    return [mode for _, mode in headers]


def check_values(
    summaries: Sequence[LabelMapSummary],
    files: Sequence[str],
    classes: LabelMapClasses,
    on_unknown_colors: OnUnknownColors,
) -> tuple[str, ...]:
    """A note on values that the classes file does not name. Raises LabelError unless they are skipped."""
    described = describe_values(summaries, files, classes.by_color)
    unknown = {value: text for value, text in described.items() if value not in classes.labels}
    kind = "colors" if classes.by_color else "indices"
    if unknown and on_unknown_colors == "error":
        example = format_value(next(iter(unknown)), classes.by_color)
        line = f"name {example}" if classes.by_color else f"name,{example}"
        remedy = (
            f"Add them to {classes.file} (a line `{line}`, with `ignore` at its end if these pixels are not "
            "labeled), or treat them as not labeled with --on-unknown-colors skip (in Python: "
            'on_unknown_colors="skip").'
        )
        heading = f"{kind.capitalize()} that {classes.file} does not name"
        raise LabelError(format_errors(heading, list(unknown.values()), remedy))
    heading = f"{kind} that {classes.file} does not name count as not labeled"
    return format_note(heading, list(unknown.values()))


def describe_values(
    summaries: Sequence[LabelMapSummary], files: Sequence[str], by_color: bool
) -> dict[int, str]:
    """Each value with its share of all pixels and the first file that has it; the most frequent first."""
    pixels: dict[int, int] = {}
    first: dict[int, str] = {}
    for summary, file in zip(summaries, files, strict=True):
        for value, count in zip(summary.values.tolist(), summary.pixel_counts.tolist(), strict=True):
            pixels[value] = pixels.get(value, 0) + count
            first.setdefault(value, file)
    total = sum(pixels.values())
    ordered = sorted(pixels.items(), key=lambda item: (-item[1], item[0]))
    described = {}
    for value, count in ordered:
        share = f"{_share(count / total)} of all pixels"
        described[value] = f"{format_value(value, by_color)}: {share}, first in {first[value]}"
    return described


def _share(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else f"{share:.4%}"


# ---------------------------------------------------------------- without a classes file


def missing_classes_file_message(
    root: Path, summaries: Sequence[LabelMapSummary], files: Sequence[str], by_color: bool
) -> str:
    """The error for label maps without a classes file: the values found, and a file to fill in."""
    described = describe_values(summaries, files, by_color)
    kind = "colors" if by_color else "indices"
    shown = "".join(f"\n  {text}" for text in list(described.values())[:MAX_LISTED])
    message = (
        f"{root}: the classes of the label maps are unknown: there is no classes file (looked for "
        f"{', '.join(CLASSES_FILE_NAMES)}). The {len(files)} label maps have {len(described)} {kind}:{shown}"
    )
    if len(described) > MAX_LISTED:
        return f"{message}\n  and {len(described) - MAX_LISTED} more. {_TOO_MANY[kind]}"
    lines = "\n".join(_classes_file_lines(list(described) if by_color else sorted(described), by_color))
    return (
        f"{message}\nWrite {root / CLASSES_FILE_NAMES[0]}, or give a file with --classes-file (in Python: "
        f"classes_file), with your names in place of class1, class2, ...:\n{lines}\n{CLASSES_FILE_HELP}"
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

"""The label maps of a data set: summarized once, and decoded on demand."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.segmentation.classes_file import LabelMapClasses, format_value
from boxmask.data.segmentation.label_map_file import LabelMapRuns, read_label_map
from boxmask.errors import LabelError
from boxmask.masks import IGNORED, Size

OnUnknownColors = Literal["error", "skip"]
"""What to do with colors or indices that the classes file does not name: stop, or treat as not labeled."""

_THREADS = min(8, os.cpu_count() or 1)  # Pillow releases the interpreter lock while it decodes


@dataclass(frozen=True)
class LabelMapsFromFiles:
    """Labels of P photos, read from their label maps on demand.

    files:     (P,) str, relative to `root`
    sizes:     (P, 2) heights and widths of the photos; label maps of another size are resized to it
    map_sizes: (P, 2) heights and widths of the label maps when the data set was read
    checksums: (P,) uint32, of the label maps when the data set was read
    """

    root: Path
    files: NDArray[np.str_]
    classes: LabelMapClasses
    on_unknown_colors: OnUnknownColors
    sizes: NDArray[np.int32]
    map_sizes: NDArray[np.int32]
    checksums: NDArray[np.uint32]

    @staticmethod
    def from_summaries(
        root: Path,
        files: Sequence[str],
        classes: LabelMapClasses,
        on_unknown_colors: OnUnknownColors,
        sizes: NDArray[np.int32],
        summaries: Sequence[LabelMapSummary],
    ) -> LabelMapsFromFiles:
        """From the summary of each label map."""
        return LabelMapsFromFiles(
            root,
            np.array(files),
            classes,
            on_unknown_colors,
            sizes,
            map_sizes=np.array([summary.size for summary in summaries], dtype=np.int32).reshape(-1, 2),
            checksums=np.array([summary.checksum for summary in summaries], dtype=np.uint32),
        )

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel, 0..K-1 or IGNORED. Raises LabelError for values that are new."""
        path = self.root / str(self.files[photo])
        runs = read_label_map(path, self.classes.by_color)
        unknown = [value for value in runs.values.tolist() if value not in self.classes.labels]
        if unknown and self.on_unknown_colors == "error":
            shown = format_value(unknown[0], self.classes.by_color)
            raise LabelError(f"{path}: {shown} is new since the data set was read. Read the data set again.")
        labels = runs.to_labels(_labels_of_values(runs, self.classes))
        if labels.shape != tuple(self.map_sizes[photo].tolist()):
            return labels  # it has changed, which `SegmentationDataset.target` reports
        return _resized(labels, tuple(self.sizes[photo].tolist()))

    def subset(self, photos: NDArray[np.int64]) -> LabelMapsFromFiles:
        """The labels of the given photos."""
        return replace(
            self,
            files=self.files[photos],
            sizes=self.sizes[photos],
            map_sizes=self.map_sizes[photos],
            checksums=self.checksums[photos],
        )

    def fingerprint(self) -> bytes:
        """Changes with the label of any pixel."""
        meaning = json.dumps([self.classes.by_color, sorted(self.classes.labels.items())])
        return self.checksums.astype("<u4").tobytes() + meaning.encode()


def _labels_of_values(runs: LabelMapRuns, classes: LabelMapClasses) -> UInt8[np.ndarray, " V"]:
    labels = [classes.labels.get(value, IGNORED) for value in runs.values.tolist()]
    return np.array(labels, dtype=np.uint8)


def _resized(labels: UInt8[np.ndarray, "h w"], size: Size) -> UInt8[np.ndarray, "H W"]:
    """Each pixel takes the label at its center."""
    if labels.shape == size:
        return labels
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for new, old in zip(size, labels.shape, strict=True)
    )
    return np.asarray(labels[rows[:, None], columns])


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class LabelMapSummary:
    """The values of one label map, and the number of pixels of each.

    size:     (height, width)
    boxes:    (V, 4) the smallest box around the pixels of each value
    palette:  the color 0xRRGGBB of each index, for an image with a palette that is read by its indices
    checksum: of the pixels
    """

    size: Size
    values: NDArray[np.uint32]
    pixel_counts: NDArray[np.int64]
    boxes: NDArray[np.int64]
    palette: Mapping[int, int]
    checksum: int


def summarize_label_maps(
    root: Path, files: Sequence[str], by_color: bool
) -> tuple[dict[int, LabelMapSummary], dict[int, LabelError]]:
    """Read every label map once; returns the summaries, and an error for each that cannot be read."""

    def summarize(file: str) -> LabelMapSummary | LabelError:
        try:
            runs = read_label_map(root / file, by_color)
        except LabelError as error:
            return error
        content = runs.values[runs.value_of].astype("<u4").tobytes() + runs.lengths.astype("<i8").tobytes()
        checksum = zlib.crc32(content)
        return LabelMapSummary(runs.size, runs.values, runs.counts(), runs.boxes(), runs.palette, checksum)

    with ThreadPoolExecutor(_THREADS) as pool:
        results = dict(enumerate(pool.map(summarize, files)))
    errors = {index: result for index, result in results.items() if isinstance(result, LabelError)}
    return {i: result for i, result in results.items() if not isinstance(result, LabelError)}, errors


def count_pixels(
    summaries: Sequence[LabelMapSummary], sizes: NDArray[np.int32], classes: LabelMapClasses
) -> NDArray[np.int64]:
    """(P, K) pixels of each class in each photo, in the size of the photo."""
    counts = np.zeros((len(summaries), IGNORED + 1), dtype=np.int64)
    for row, summary in zip(counts, summaries, strict=True):
        labels = [classes.labels.get(value, IGNORED) for value in summary.values.tolist()]
        np.add.at(row, labels, summary.pixel_counts)
    map_sizes = np.array([summary.size for summary in summaries], dtype=np.float64).reshape(-1, 2)
    scaled = np.ceil(counts * (sizes.astype(np.float64) / map_sizes).prod(axis=1, keepdims=True))
    return np.asarray(scaled.astype(np.int64)[:, : len(classes.names)])

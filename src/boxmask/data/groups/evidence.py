"""Evidence that photos belong together. Each function joins the photos of a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float32, Int

from boxmask.data.groups.components import Components
from boxmask.data.groups.names import numbered_stem, running_number
from boxmask.data.photo_records.likeness import (
    ALIKE_CORRELATION,
    alike_pairs,
    copy_pairs,
    correlations,
    turned_copy_pairs,
)
from boxmask.data.photo_records.records import PhotoRecords

BURST_SECONDS = 10.0
"""Photos that one camera takes within ten seconds of each other mostly show the same scene."""
_MAX_PER_SECOND = 30
"""More photos of one camera in the same second tell that its clock was not set."""

_SEQUENCE_CORRELATION = 0.6
_ABOVE_OTHERS = 0.3
"""Numbered photos are a sequence if the median correlation of consecutive ones is at least 0.6, and at least
0.3 above that of photos from other stems. Photos of 765 that are no sequence have medians below 0.35."""
_MIN_SEQUENCE = 3
_NO_KEY = -1
_INT64 = 2**63 - 1


def numbers_of_keys(keys: Sequence[str | None]) -> Int[np.ndarray, " P"]:
    """A number for each different key, -1 for None."""
    numbers: dict[str, int] = {}
    return np.array(
        [_NO_KEY if key is None else numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64
    )


def join_named(components: Components, files: Sequence[str], key: Callable[[str], str | None]) -> None:
    """Join photos whose names have the same key. One key for all photos tells nothing."""
    numbers = numbers_of_keys([key(file) for file in files])
    if len(np.unique(numbers)) > 1:
        components.join_equal(numbers)


def join_identical(components: Components, records: PhotoRecords) -> None:
    """Join photos whose files have the same bytes."""
    components.join_equal(numbers_of_digests(records))


def numbers_of_digests(records: PhotoRecords) -> Int[np.ndarray, " P"]:
    """A number for each different content of a file, -1 for a file that cannot be read."""
    digests = np.ascontiguousarray(records.digests).view([("low", np.uint64), ("high", np.uint64)])[:, 0]
    return np.where(records.digests.any(axis=1), np.unique(digests, return_inverse=True)[1], _NO_KEY)


def join_copies(components: Components, records: PhotoRecords) -> None:
    """Join copies: in another encoding, size or brightness, flipped or rotated."""
    for first, second in (*copy_pairs(records), *turned_copy_pairs(records)):
        components.join(first, second)


def join_alike(components: Components, records: PhotoRecords) -> None:
    """Join photos of the same scene from the same place."""
    for first, second in alike_pairs(records):
        components.join(first, second)
    first, second, _ = _consecutive(records)
    alike = _correlate(records, first, second) >= ALIKE_CORRELATION
    components.join(first[alike], second[alike])


def join_bursts(components: Components, records: PhotoRecords) -> None:
    """Join photos that the same camera took seconds apart."""
    times = np.where(records.cameras >= 0, records.captured, np.nan)
    order = np.lexsort((times, records.cameras))
    order = order[np.isfinite(times[order])]
    seconds = np.stack([records.cameras[order], np.floor(times[order])], axis=1)
    _, inverse, counts = np.unique(seconds, axis=0, return_inverse=True, return_counts=True)
    order = order[counts[inverse.reshape(-1)] <= _MAX_PER_SECOND]
    first, second = order[:-1], order[1:]
    near = (times[second] - times[first] <= BURST_SECONDS) & (
        records.cameras[first] == records.cameras[second]
    )
    components.join(first[near], second[near])


def join_sequences(components: Components, records: PhotoRecords) -> None:
    """Join photos with a common stem and running numbers, where consecutive ones look alike.

    Numbers alone tell nothing: most photos are numbered.
    """
    first, second, stems = _consecutive(records)
    if len(np.unique(stems)) < 2:
        return
    neighbors = _correlate(records, first, second)
    others = _correlate(records, first, np.roll(first, len(first) // 2 + 1))
    threshold = max(_SEQUENCE_CORRELATION, float(np.median(others)) + _ABOVE_OTHERS)
    _, starts, counts = np.unique(stems, return_index=True, return_counts=True)
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        rows = slice(start, start + count)
        if count + 1 >= _MIN_SEQUENCE and np.median(neighbors[rows]) >= threshold:
            components.join(first[rows], second[rows])


def _consecutive(
    records: PhotoRecords,
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    """Pairs of photos with consecutive numbers and the same stem, and the number of their stem, sorted."""
    stems = numbers_of_keys([numbered_stem(file) for file in records.files])
    stems[~records.readable] = _NO_KEY
    running = np.array([min(running_number(file), _INT64) for file in records.files], dtype=np.int64)
    order = np.lexsort((running, stems))
    first, second = order[:-1], order[1:]
    same: Bool[np.ndarray, " N"] = (stems[first] == stems[second]) & (stems[first] != _NO_KEY)
    return first[same], second[same], stems[first[same]]


def _correlate(
    records: PhotoRecords, first: Int[np.ndarray, " N"], second: Int[np.ndarray, " N"]
) -> Float32[np.ndarray, " N"]:
    parts = [
        correlations(
            records.thumbnails[first[start : start + 50_000]],
            records.thumbnails[second[start : start + 50_000]],
        )
        for start in range(0, len(first), 50_000)
    ]
    return np.concatenate([np.zeros(0, dtype=np.float32), *parts])

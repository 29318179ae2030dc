"""Evidence that photos belong together. Each function joins the photos for which it finds some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.groups.components import Components
from boxmask.data.groups.names import numbered_stem, running_number
from boxmask.data.photo_records.hashes import UNTURNED
from boxmask.data.photo_records.likeness import ALIKE_RADIUS, are_alike, correlate, pairs_to_compare
from boxmask.data.photo_records.records import PhotoRecords

BURST_SECONDS = 10.0
"""Photos that one camera takes within ten seconds of each other mostly show the same scene."""
_MAX_PER_SECOND = 30
"""If one camera has more photos in the same second, its clock was not set, and its times tell nothing."""

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


def join_named(components: Components, records: PhotoRecords, key: Callable[[str], str | None]) -> None:
    """Join photos whose names have the same key. One key for all photos tells nothing."""
    numbers = numbers_of_keys([key(file) for file in records.files])
    if len(np.unique(numbers)) > 1:
        components.join_equal(numbers)


def join_alike(components: Components, records: PhotoRecords) -> None:
    """Join photos of the same scene from the same place."""
    for pairs in pairs_to_compare(records, UNTURNED, ALIKE_RADIUS):
        components.join_if(pairs, partial(are_alike, records))
    first, second, _ = _consecutive(records)
    components.join_if((first, second), partial(are_alike, records))


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
    neighbors = correlate(records, (first, second))
    others = correlate(records, (first, np.roll(first, len(first) // 2 + 1)))
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

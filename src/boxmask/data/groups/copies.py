"""Copies of photos: exact ones by the bytes of their files, others by likeness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Int

from boxmask.data.groups.components import Components
from boxmask.data.photo_records.hashes import TURNS, UNTURNED
from boxmask.data.photo_records.likeness import (
    COPY_RADIUS,
    TURNED_COPY_RADIUS,
    are_copies,
    pairs_to_compare,
)
from boxmask.data.photo_records.records import PhotoRecords


@dataclass(frozen=True)
class Copies:
    """Which of P photos are copies of each other, as (P,) numbers that copies share.

    exact:   of photos with the same bytes; -1 for a photo that cannot be read
    upright: of these, and of photos in another encoding, size or brightness
    turned:  of these, and of flipped and rotated photos
    """

    exact: Int[np.ndarray, " P"]
    upright: Int[np.ndarray, " P"]
    turned: Int[np.ndarray, " P"]


def find_copies(records: PhotoRecords) -> Copies:
    """Find all copies among photos."""
    exact = _numbers_of_digests(records)
    components = Components(len(records))
    components.join_equal(exact)
    for pairs in pairs_to_compare(records, UNTURNED, COPY_RADIUS):
        components.join_if(pairs, partial(are_copies, records))
    upright = components.numbers()
    for turn in TURNS[1:]:
        for pairs in pairs_to_compare(records, turn, TURNED_COPY_RADIUS):
            components.join_if(pairs, partial(are_copies, records, turn=turn))
    return Copies(exact, upright, components.numbers())


def _numbers_of_digests(records: PhotoRecords) -> Int[np.ndarray, " P"]:
    digests = np.ascontiguousarray(records.digests).view([("low", np.uint64), ("high", np.uint64)])[:, 0]
    numbers = np.unique(digests, return_inverse=True)[1]
    return np.where(records.digests.any(axis=1), numbers, -1)

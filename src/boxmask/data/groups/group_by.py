"""Groups of photos that belong together, by name, folder, capture time or likeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from boxmask.data.photo_records.records import PhotoRecords


@dataclass(frozen=True)
class Groups:
    """A group for each of P photos.

    numbers: (P,) 0..G-1; photos with the same number belong together, and a photo alone has its own number
    reasons: (G) why its photos belong together, in words; "" for a photo alone
    """

    numbers: Int[np.ndarray, " P"]
    reasons: tuple[str, ...]


def find_groups(
    root: Path, files: Sequence[str], group_by: str = "auto", records: PhotoRecords | None = None
) -> Groups:
    """The groups of photos.

    group_by: "auto", "folder", "capture-time", "likeness", "name" (a stem before a running number), or a
              regular expression that is searched in each path: its first group, or else all that it
              matches, is the name of the photo's group
    records:  of the same files; without them, the photos are examined if `group_by` needs it

    Raises UsageError for another value or a regular expression that fits no photo.
    """
    raise NotImplementedError

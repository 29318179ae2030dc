"""The objects of each photo."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.formats.labels import Labels


class RowsByPhoto:
    """Finds the rows of the objects in a photo.

    kept: (N,) the objects to find; all by default
    """

    def __init__(self, labels: Labels, kept: Bool[np.ndarray, " N"] | None = None) -> None:
        rows = np.argsort(labels.photo_of, kind="stable")
        self._rows = rows if kept is None else rows[kept[rows]]
        self._starts = np.searchsorted(labels.photo_of[self._rows], np.arange(len(labels.photos) + 1))

    def of(self, photo: int) -> Int[np.ndarray, " M"]:
        """The rows of the photo with index `photo`, in the order of the labels."""
        return self._rows[self._starts[photo] : self._starts[photo + 1]]

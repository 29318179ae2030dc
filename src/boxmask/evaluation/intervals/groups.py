"""The photos of a test set that belong together, as the split kept them together."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Int, Shaped

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.draw import Draw
from boxmask.data.groups.group_by import find_groups
from boxmask.errors import UsageError


class _SplitPhotos(Protocol):
    @property
    def root(self) -> Path: ...

    @property
    def files(self) -> Shaped[np.ndarray, " P"]: ...

    @property
    def draw(self) -> Draw | None: ...


def photo_groups(dataset: _SplitPhotos) -> Int[np.ndarray, " P"] | None:
    """A number for each photo, the same for photos that belong together; None if the split has no groups.

    Frames of one video, say, are alike: thirty of them tell less than thirty photos. Photos are opened if the
    split was drawn by likeness or capture time.
    """
    group_by = None if dataset.draw is None else dataset.draw.group_by
    if group_by is None:
        return None
    try:
        return find_groups(dataset.root, dataset.files.tolist(), group_by).numbers
    except UsageError:  # a pattern that fits none of these photos
        return None


def item_groups(dataset: ClassificationDataset) -> Int[np.ndarray, " N"]:
    """A number for each item, the same for items of one photo and of photos that belong together."""
    photos, photo_of_item = np.unique(dataset.photo_of, return_inverse=True)
    groups = photo_groups(dataset.photos.subset(photos))
    return photo_of_item if groups is None else groups[photo_of_item]

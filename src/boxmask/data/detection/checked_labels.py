"""Labels that have passed the checks of training, before they become arrays of a data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.data.formats.labels import Labels
from boxmask.data.photo_list import PhotoList


@dataclass(frozen=True)
class CheckedLabels:
    """The labels of P photos with N objects.

    labels:       boxes in pixels of the photos as shown, not clipped; outlines in pixels of `label_sizes`
    photos:       the chosen photos that can be read
    sizes:        (P, 2) heights and widths of the photos as shown
    label_sizes:  (P, 2) the sizes that outlines are written for; see `find_label_sizes`
    boxes:        (N, 4) clipped to the photos
    good:         (N,) the objects to use; the others are left out with a note
    masks:        of the N objects, in the photos as shown
    bad_outlines: the rows whose outline is left out with a note
    """

    labels: Labels
    photos: PhotoList
    sizes: Int[np.ndarray, "P 2"]
    label_sizes: Int[np.ndarray, "P 2"]
    boxes: Float[np.ndarray, "N 4"]
    good: Bool[np.ndarray, " N"]
    masks: RleMasks
    bad_outlines: frozenset[int]

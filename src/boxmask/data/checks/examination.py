"""What a check of labels gets: the labels of a data set beside the sizes of its photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Int

from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.findings import Findings
from boxmask.data.formats.labels import Labels


@dataclass(frozen=True)
class Examination:
    """The labels of P photos with N objects.

    labels:      in pixels of the photos as shown; nothing is left out or clipped
    sizes:       (P, 2) heights and widths of the photos as shown; the declared ones if `sizes_known` is
                 False, and `UNKNOWN_SIZE` if there are none
    sizes_known: (P,) whether the header of the photo was read
    masks:       of the N objects; unknown where an object has no outline that can be read
    in_fractions: whether labels of photos of unknown size are in fractions of them, not in pixels
    """

    labels: Labels
    sizes: Int[np.ndarray, "P 2"]
    sizes_known: Bool[np.ndarray, " P"]
    masks: CompressedMasks
    in_fractions: bool = False


Check: TypeAlias = Callable[[Examination, Findings], None]
"""Adds what is wrong with the labels of a data set."""

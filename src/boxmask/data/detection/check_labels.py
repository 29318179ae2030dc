"""Check labels against the sizes of their photos. All that is wrong becomes a finding; nothing stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from boxmask.data.checks.examination import Examination
from boxmask.data.detection.box_checks import check_boxes
from boxmask.data.detection.coordinates import check_coordinates
from boxmask.data.detection.declared_sizes import find_label_sizes
from boxmask.data.detection.outline_masks import (
    MaskReading,
    fill_outlines,
    with_boxes_of_masks,
    with_boxes_of_outlines,
)
from boxmask.data.detection.photo_sizes import has_size, sizes_to_use
from boxmask.data.detection.resized_photos import in_pixels, outlines_on_photos, scale_labels
from boxmask.data.findings import Findings
from boxmask.data.formats.labels import Labels
from boxmask.data.photo_checks import UNREADABLE


@dataclass(frozen=True)
class ComparedLabels:
    """The labels of P photos with N objects, beside the photos.

    labels:      boxes in pixels of the photos as shown, not clipped; outlines in pixels of `label_sizes`
    sizes:       (P, 2) heights and widths of the photos as shown; see `sizes_to_use` where `known` is False
    known:       (P,) whether the header of the photo was read
    label_sizes: (P, 2) the sizes that outlines are written for; see `find_label_sizes`
    boxes:       (N, 4) clipped to the photos
    good:        (N,) the boxes that can be trained on
    in_fractions: see `Examination`
    """

    labels: Labels
    sizes: Int[np.ndarray, "P 2"]
    known: Bool[np.ndarray, " P"]
    label_sizes: Int[np.ndarray, "P 2"]
    boxes: Float[np.ndarray, "N 4"]
    good: Bool[np.ndarray, " N"]
    reading: MaskReading
    in_fractions: bool

    @property
    def examination(self) -> Examination:
        """The labels for the checks of `boxmask.data.checks`."""
        labels = outlines_on_photos(self.labels, self.label_sizes, self.sizes)
        return Examination(labels, self.sizes, self.known, self.reading.masks, self.in_fractions)


def check_labels(labels: Labels, header_sizes: NDArray[np.int32], findings: Findings) -> ComparedLabels:
    """Bring labels to pixels of their photos as shown, and check coordinates, sizes, outlines and boxes.

    header_sizes: (P, 2) heights and widths of the photos as shown; `UNREADABLE` where they are unknown
    """
    known = (header_sizes != UNREADABLE).any(axis=1)
    sizes = sizes_to_use(labels, header_sizes)
    in_fractions = labels.unit == "fraction"
    unknown_edge = 1.0 if in_fractions else np.inf
    is_written = np.asarray(~np.isnan(labels.boxes).all(axis=1))
    labels = with_boxes_of_outlines(in_pixels(labels, sizes), ~has_size(sizes))
    may_be_right = check_coordinates(labels, sizes, findings, is_written, unknown_edge)
    written_for = find_label_sizes(labels, sizes, known, findings)
    label_sizes = written_for.sizes
    labels = scale_labels(labels, label_sizes, sizes)
    misplaced = written_for.misplaced | (not may_be_right)
    reading = fill_outlines(labels, sizes, label_sizes, findings, misplaced | ~known)
    labels = with_boxes_of_masks(labels, reading.masks, sizes)
    boxes, good = check_boxes(labels, sizes, findings, misplaced, unknown_edge)
    return ComparedLabels(labels, sizes, known, label_sizes, boxes, good, reading, in_fractions)

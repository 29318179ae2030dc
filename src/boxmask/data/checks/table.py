"""The checks of labels, in the order in which they run."""

from __future__ import annotations

from boxmask.data.checks.box_sizes import check_box_sizes
from boxmask.data.checks.class_counts import (
    check_class_counts,
    check_classes_of_splits,
    check_empty_classes,
)
from boxmask.data.checks.class_shift import check_class_shift
from boxmask.data.checks.examination import Check
from boxmask.data.checks.exchanged_coordinates import check_exchanged_coordinates
from boxmask.data.checks.exchanged_fractions import check_exchanged_fractions
from boxmask.data.checks.nearly_repeated_boxes import check_nearly_repeated_boxes
from boxmask.data.checks.outline_boxes import check_outline_boxes
from boxmask.data.checks.outlines import check_outlines
from boxmask.data.checks.photo_counts import (
    check_background_share,
    check_photo_paths,
    check_photos_without_objects,
    check_split_sizes,
)
from boxmask.data.checks.plausibility import check_plausibility
from boxmask.data.checks.repeated_boxes import check_repeated_boxes
from boxmask.data.checks.scaled_coordinates import check_scaled_coordinates
from boxmask.data.checks.similar_class_names import check_similar_class_names

QUICK_CHECKS: tuple[Check, ...] = (
    check_exchanged_coordinates,
    check_exchanged_fractions,
    check_scaled_coordinates,
    check_plausibility,
    check_box_sizes,
    check_repeated_boxes,
    check_nearly_repeated_boxes,
    check_class_shift,
    check_similar_class_names,
    check_empty_classes,
    check_photo_paths,
)
"""Checks that training runs as well. They take seconds for 100,000 photos."""

CHECKS: tuple[Check, ...] = (
    *QUICK_CHECKS,
    check_class_counts,
    check_classes_of_splits,
    check_background_share,
    check_photos_without_objects,
    check_split_sizes,
    check_outlines,
    check_outline_boxes,
)
"""The checks of `boxmask check`."""

"""The checks of labels, in the order in which they run."""

from __future__ import annotations

from boxmask.data.checks.box_sizes import check_box_sizes
from boxmask.data.checks.contract import Check
from boxmask.data.checks.exchanged_coordinates import check_exchanged_coordinates
from boxmask.data.checks.nearly_repeated_boxes import check_nearly_repeated_boxes
from boxmask.data.checks.repeated_boxes import check_repeated_boxes
from boxmask.data.checks.scaled_coordinates import check_scaled_coordinates

QUICK_CHECKS: tuple[Check, ...] = (
    check_exchanged_coordinates,
    check_scaled_coordinates,
    check_box_sizes,
    check_repeated_boxes,
    check_nearly_repeated_boxes,
)
"""Checks that training runs as well. They take seconds for 100,000 photos."""

CHECKS: tuple[Check, ...] = (*QUICK_CHECKS,)
"""The checks of `boxmask check`."""

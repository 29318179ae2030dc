"""The checks of labels, in the order in which they run."""

from __future__ import annotations

from boxmask.data.checks.contract import Check

QUICK_CHECKS: tuple[Check, ...] = ()
"""Checks that training runs as well. They take seconds for 100,000 photos."""

CHECKS: tuple[Check, ...] = (*QUICK_CHECKS,)
"""The checks of `boxmask check`."""

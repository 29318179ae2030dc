"""The learning rate of a training that starts from trained weights."""

from __future__ import annotations

from boxmask.options import option
from boxmask.weights.transfer import Transfer

CONTINUED = 0.1  # where all weights are inherited, those of every class among them
NEW_CLASSES = 0.3  # where rows of classes or a small part are new
MIN_HEAD_SHARE = 0.5  # with fewer inherited weights outside the backbone, the rate is that of a new training


def rate_factor(transfer: Transfer) -> float:
    """The factor of the method's learning rate; docs/decisions/0039 has the measurements."""
    if transfer.head_share < MIN_HEAD_SHARE:
        return 1.0
    return CONTINUED if transfer.is_complete else NEW_CLASSES


def describe_rate(factor: float, before: float, after: float) -> str:
    """One sentence on the choice."""
    inherited = "all weights are" if factor == CONTINUED else "most weights are"
    return (
        f"learning rate {after:g} instead of {before:g}, because {inherited} trained; "
        f"{option('learning_rate')} sets another"
    )

"""A loss that is not known is no small loss."""

from __future__ import annotations

from math import nan

import pytest

from boxmask.errors import UsageError
from boxmask.exporting.int8.convert import MAX_LOSS, Loss, _exceeded, check_measurable


def test_a_loss_that_is_not_a_number_is_too_large() -> None:
    losses = [Loss("AP", 0.5, 0.499, None), Loss("mask_AP", 0.5, nan, None), Loss("mIoU", 0.5, 0.3, None)]
    assert _exceeded(losses, MAX_LOSS) == losses[1:]


def test_photos_on_which_a_metric_is_not_defined() -> None:
    check_measurable({"AP": 0.0}, "data: the 2 validation photos")
    with pytest.raises(UsageError, match=r"data: the 2 validation photos have no labels .* so AP cannot be"):
        check_measurable({"AP": nan}, "data: the 2 validation photos")

"""The spread of deltas (Fast R-CNN, section 2.3), worked by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from boxmask.detectors.fast_rcnn import DEFAULT_DELTA_STD
from boxmask.training.stages.target_normalization import DeltaStatistics
from boxmask.types import Target

NONE = torch.zeros(0, 4)
SPREAD_OBJECT = Target.of([[40, 40, 60, 60]], [1])


def shifted(shifts: list[float]) -> Tensor:
    """Boxes of the object's size, so far to its right: deltas of -shift / 20 in x and nothing else."""
    return torch.tensor([[40.0 + shift, 40, 60 + shift, 60] for shift in shifts])


def test_mean_and_deviation_of_each_class_by_hand() -> None:
    """Half of the deltas are 0, half -0.2: mean -0.1, deviation 0.1; nothing is divided by 0."""
    spread = DeltaStatistics(2, 0.5)
    assert spread.add(shifted([0, 4, 0]), SPREAD_OBJECT) == 3
    assert (
        spread.add(
            torch.cat([shifted([4, 0, 4, 0, 4, 0, 4, 0, 4]), torch.tensor([[0.0, 0, 9, 9]])]), SPREAD_OBJECT
        )
        == 9
    )
    mean, std = spread.result()
    torch.testing.assert_close(mean, torch.tensor([[0.0] * 4, [-0.1, 0, 0, 0]]))
    torch.testing.assert_close(std, torch.tensor([list(DEFAULT_DELTA_STD), [0.1, 0.01, 0.01, 0.01]]))


def test_each_class_has_its_own_spread() -> None:
    objects = Target.of([[40, 40, 60, 60], [100, 100, 120, 120]], [1, 0])
    there = torch.tensor([60.0, 60, 60, 60])
    spread = DeltaStatistics(2, 0.5)
    spread.add(torch.cat([shifted([0, 4] * 6), shifted([2, 4] * 6) + there]), objects)
    mean, std = spread.result()
    torch.testing.assert_close(mean[:, 0], torch.tensor([-0.15, -0.1]))
    torch.testing.assert_close(std[:, 0], torch.tensor([0.05, 0.1]))


@pytest.mark.parametrize(("pairs", "own"), [(9, False), (10, True)])
def test_a_class_with_few_pairs_keeps_the_usual_spread(pairs: int, own: bool) -> None:
    spread = DeltaStatistics(2, 0.5)
    spread.add(shifted([4] * pairs), SPREAD_OBJECT)
    mean, std = spread.result()
    assert mean[1, 0].item() == pytest.approx(-0.2 if own else 0)
    assert std[1].tolist() == pytest.approx([0.01] * 4 if own else DEFAULT_DELTA_STD)


def test_objects_that_do_not_count_have_no_spread() -> None:
    spread = DeltaStatistics(2, 0.5)
    assert spread.add(shifted([4] * 20), Target.of([[40, 40, 60, 60]], [1], [True])) == 0
    assert spread.add(NONE, SPREAD_OBJECT) == 0
    assert spread.add(shifted([0]), Target.of([], [])) == 0
    assert not spread.result()[0].any()

"""The normalization of regression targets (Fast R-CNN, section 2.3), computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from boxmask.detectors.fast_rcnn import DEFAULT_DELTA_STD, FastRCNN
from boxmask.models.table import make_config
from boxmask.training.stages.target_normalization import DeltaStatistics, normalize_anew
from boxmask.types import Target
from boxmask.weights.checkpoint import load_detector

NONE = torch.zeros(0, 4)
OBJECT = Target.of([[40, 40, 60, 60]], [1])


def shifted(shifts: list[float]) -> Tensor:
    """Boxes of the object's size, shifted to the right: deltas of -shift / 20 in x and 0 else."""
    return torch.tensor([[40.0 + shift, 40, 60 + shift, 60] for shift in shifts])


def test_mean_and_deviation_computed_by_hand() -> None:
    """Half of the deltas are 0, half -0.2: mean -0.1, deviation 0.1; a deviation of 0 becomes 0.01."""
    statistics = DeltaStatistics(2, 0.5)
    assert statistics.add(shifted([0, 4, 0]), OBJECT) == 3
    assert (
        statistics.add(
            torch.cat([shifted([4, 0, 4, 0, 4, 0, 4, 0, 4]), torch.tensor([[0.0, 0, 9, 9]])]), OBJECT
        )
        == 9
    )
    mean, std = statistics.result()
    torch.testing.assert_close(mean, torch.tensor([[0.0] * 4, [-0.1, 0, 0, 0]]))
    torch.testing.assert_close(std, torch.tensor([list(DEFAULT_DELTA_STD), [0.1, 0.01, 0.01, 0.01]]))


def test_each_class_has_its_own_statistics() -> None:
    objects = Target.of([[40, 40, 60, 60], [100, 100, 120, 120]], [1, 0])
    there = torch.tensor([60.0, 60, 60, 60])
    statistics = DeltaStatistics(2, 0.5)
    statistics.add(torch.cat([shifted([0, 4] * 6), shifted([2, 4] * 6) + there]), objects)
    mean, std = statistics.result()
    torch.testing.assert_close(mean[:, 0], torch.tensor([-0.15, -0.1]))
    torch.testing.assert_close(std[:, 0], torch.tensor([0.05, 0.1]))


@pytest.mark.parametrize(("pairs", "measured"), [(9, False), (10, True)])
def test_a_class_with_few_pairs_keeps_the_default_deviation(pairs: int, measured: bool) -> None:
    statistics = DeltaStatistics(2, 0.5)
    statistics.add(shifted([4] * pairs), OBJECT)
    mean, std = statistics.result()
    assert mean[1, 0].item() == pytest.approx(-0.2 if measured else 0)
    assert std[1].tolist() == pytest.approx([0.01] * 4 if measured else DEFAULT_DELTA_STD)


def test_ignored_objects_do_not_count() -> None:
    statistics = DeltaStatistics(2, 0.5)
    assert statistics.add(shifted([4] * 20), Target.of([[40, 40, 60, 60]], [1], [True])) == 0
    assert statistics.add(NONE, OBJECT) == 0
    assert statistics.add(shifted([0]), Target.of([], [])) == 0
    assert not statistics.result()[0].any()


def test_targets_are_normalized_before_gradient_descent(
    staged: Callable[[str], Any], equal_tensors: Callable[..., bool]
) -> None:
    _, normalized, learned = staged("fast-rcnn").ended
    initial = FastRCNN(load_detector(staged("fast-rcnn").run.path).config).state_dict()
    assert not equal_tensors(normalized, initial, "delta_")
    assert equal_tensors(staged("fast-rcnn").began["training"], normalized)
    assert equal_tensors(learned, normalized, "delta_")


def test_trained_weights_give_the_same_boxes_after_another_normalization() -> None:
    config = make_config("fast-rcnn", "default", class_names=("a", "b"), backbone="test_resnet", hidden=16)
    detector = FastRCNN(config)
    first = (torch.full((2, 4), 0.1), torch.full((2, 4), 0.3))
    before = detector.box_head.deltas.weight.clone()
    normalize_anew(detector, *first)
    assert torch.equal(detector.box_head.deltas.weight, before)  # new weights stay
    rois = torch.randn(3, detector.backbone.channels[-1], 7, 7)
    boxes = []
    for _ in range(2):
        deltas = detector.box_head(rois)[1]
        boxes.append(deltas * detector.delta_std + detector.delta_mean)
        normalize_anew(detector, torch.full((2, 4), -0.2), torch.full((2, 4), 0.05))
    assert not torch.equal(detector.box_head.deltas.weight, before)
    torch.testing.assert_close(*boxes)

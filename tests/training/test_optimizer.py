from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from boxmask.detectors.contract import Detector
from boxmask.models.table import make_config, model_entry
from boxmask.runs.recipe import Recipe
from boxmask.training.optimizer import make_average, make_optimizer, set_learning_rate

RECIPE = Recipe(learning_rate=1e-3, backbone_lr_mult=0.1, weight_decay=0.05)


@pytest.fixture
def detector() -> Detector:
    config = make_config("faster-rcnn", "default", class_names=("cat",), backbone="test_resnet")
    return model_entry("faster-rcnn").build(config, None)


def groups(detector: Detector, recipe: Recipe) -> dict[str, dict[str, object]]:
    """The settings of the group that each parameter is in."""
    name = {id(parameter): name for name, parameter in detector.named_parameters()}
    optimizer = make_optimizer(detector, recipe)
    return {name[id(p)]: group for group in optimizer.param_groups for p in group["params"]}


def test_biases_do_not_decay_and_weights_do(detector: Detector) -> None:
    found = groups(detector, RECIPE)
    assert found["box_head.fc6.weight"]["weight_decay"] == 0.05
    assert found["box_head.fc6.bias"]["weight_decay"] == 0
    assert all(group["weight_decay"] == 0 for name, group in found.items() if name.endswith("bias"))


def test_the_backbone_has_a_lower_learning_rate(detector: Detector) -> None:
    for name, group in groups(detector, RECIPE).items():
        assert group["base_lr"] == pytest.approx(1e-4 if name.startswith("backbone.") else 1e-3)


def test_the_optimizer_holds_all_parameters_but_the_frozen_ones(detector: Detector) -> None:
    everything = {name for name, _ in detector.named_parameters()}
    detector.freeze(0)
    assert set(groups(detector, RECIPE)) == everything
    detector.freeze(2)
    left_out = everything - set(groups(detector, RECIPE))
    assert left_out
    assert all(name.startswith("backbone.") for name in left_out)
    assert any(name.startswith("backbone.") for name in groups(detector, RECIPE))


def test_the_recipe_chooses_the_optimizer(detector: Detector) -> None:
    assert isinstance(make_optimizer(detector, RECIPE), torch.optim.AdamW)
    sgd = make_optimizer(detector, replace(RECIPE, optimizer="sgd"))
    assert isinstance(sgd, torch.optim.SGD)
    assert {group["momentum"] for group in sgd.param_groups} == {0.9}


def test_the_schedule_scales_every_group(detector: Detector) -> None:
    optimizer = make_optimizer(detector, RECIPE)
    set_learning_rate(optimizer, 0.5)
    assert {round(group["lr"], 12) for group in optimizer.param_groups} == {5e-4, 5e-5}


def test_the_average_equals_one_computed_by_hand() -> None:
    layer = nn.Linear(1, 1, bias=False)
    average = make_average(layer, decay=0.25)
    assert average.n_averaged.device.type == "cpu"  # a GPU would have to be waited for
    expected = None
    for count, value in enumerate([1.0, 2.0, -4.0, 8.0, 3.0]):
        layer.weight.data.fill_(value)
        average.update_parameters(layer)
        keep = min(0.25, (1 + count) / (10 + count))
        expected = value if expected is None else keep * expected + (1 - keep) * value
        assert average.module.weight.item() == pytest.approx(expected)


def test_the_average_follows_faster_at_the_beginning() -> None:
    layer = nn.Linear(1, 1, bias=False)
    average = make_average(layer, decay=0.999)
    layer.weight.data.fill_(0.0)
    average.update_parameters(layer)
    layer.weight.data.fill_(1.0)
    average.update_parameters(layer)
    assert average.module.weight.item() == pytest.approx(1 - 2 / 11)


def test_the_average_of_trained_weights_begins_later() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(0.0)
    average = make_average(layer, decay=0.999, first_updates=90)
    layer.weight.data.fill_(1.0)
    average.update_parameters(layer)
    assert average.module.weight.item() == pytest.approx(1 - 91 / 100)


def test_statistics_of_batch_norm_are_averaged_like_weights() -> None:
    """Means 0, 10, 20. The first is copied; then the decays are (1 + 1) / (10 + 1) and (1 + 2) / (10 + 2)."""
    norm = nn.BatchNorm1d(1)
    average = make_average(norm, decay=0.999)
    for mean in (0.0, 10.0, 20.0):
        assert norm.running_mean is not None
        norm.running_mean.fill_(mean)
        norm.num_batches_tracked.add_(3)
        average.update_parameters(norm)
    after_second = 2 / 11 * 0 + 9 / 11 * 10
    assert average.module.running_mean.item() == pytest.approx(3 / 12 * after_second + 9 / 12 * 20)
    assert average.module.num_batches_tracked.item() == 9  # a count, which is copied


def test_constant_buffers_stay_as_they_are_bit_for_bit(detector: Detector) -> None:
    """Those of a frozen batch norm, and the mean and deviation of the photos."""
    average = make_average(detector, decay=0.998)
    for _ in range(20):
        average.update_parameters(detector)
    averaged = dict(average.module.named_buffers())
    assert averaged
    assert all(torch.equal(averaged[name], buffer) for name, buffer in detector.named_buffers())

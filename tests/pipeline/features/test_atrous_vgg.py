"""VGG16 as SSD uses it: L2 norm, subsampled fc6 and fc7, maps and stages."""

import pytest
import torch
from torch import Tensor
from torchvision.models import vgg16

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.atrous_vgg import AtrousVGG16, L2Norm


def test_l2_norm_by_hand() -> None:
    norm = L2Norm(2)
    x = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([12.0, 16.0]))  # 20 times 3/5 and 4/5
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([1.0, 5.0]))
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([0.6, 4.0]))


def vgg_state() -> dict[str, Tensor]:
    """torchvision's VGG16 with timm's keys for the classifier."""
    state = vgg16(weights=None).state_dict()
    fc = {"0": ("fc1", (4096, 512, 7, 7)), "3": ("fc2", (4096, 4096, 1, 1))}
    for number, (name, shape) in fc.items():
        state[f"pre_logits.{name}.weight"] = state.pop(f"classifier.{number}.weight").reshape(shape)
        state[f"pre_logits.{name}.bias"] = state.pop(f"classifier.{number}.bias")
    return state


def test_fc6_and_fc7_start_from_every_fourth_pretrained_weight() -> None:
    """Section 3: fc6 and fc7 are subsampled."""
    state = vgg_state()
    state["pre_logits.fc1.bias"] = torch.arange(4096.0)
    network = AtrousVGG16(state)
    assert torch.equal(network.features[28].weight, state["features.28.weight"])
    assert torch.equal(network.fc6.weight[5, 7, 1, 2], state["pre_logits.fc1.weight"][20, 7, 3, 6])
    assert torch.equal(network.fc6.bias, torch.arange(0, 4096.0, 4))
    assert torch.equal(network.fc7.weight[3, 9, 0, 0], state["pre_logits.fc2.weight"][12, 36, 0, 0])


def test_maps_and_frozen_stages() -> None:
    network = AtrousVGG16(None)
    with torch.no_grad():
        maps = network(torch.randn(1, 3, 75, 75))  # pool3 rounds up: 75 -> 37 -> 18 -> 9 -> 4
    assert [tuple(x.shape[1:]) for x in maps] == [(512, 9, 9), (1024, 4, 4)]
    last = {0: -1, 1: 14, 2: 21, 3: 28}  # conv3_3, conv4_3 and conv5_3
    for stages, number in last.items():
        network.freeze(stages)
        frozen = [int(n.split(".")[1]) for n, p in network.named_parameters() if not p.requires_grad]
        assert max(frozen, default=-1) == number
        assert network.l2_norm.scale.requires_grad
    network.freeze(4)
    assert [n for n, p in network.named_parameters() if p.requires_grad] == ["l2_norm.scale"]


def test_weights_of_another_network_are_rejected() -> None:
    with pytest.raises(WeightsError, match="do not fit vgg16"):
        AtrousVGG16({"features.0.weight": torch.zeros(3)})


def test_a_missing_stage_is_rejected() -> None:
    with pytest.raises(UsageError, match="no stage 5"):
        AtrousVGG16(None).freeze(5)

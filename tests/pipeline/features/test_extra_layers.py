"""The maps behind the backbone, and the two networks that only SSD reads."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large, vgg16

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.atrous_vgg import AtrousVGG16, L2Norm
from boxmask.pipeline.features.extra_layers import ExtraLayers, Row
from boxmask.pipeline.features.mobilenet import MobileNetV3

PAPER: tuple[Row, ...] = ((32, 3, 2, 1), (16, 3, 2, 1), (16, 3, 1, 0), (16, 3, 1, 0))


@pytest.mark.parametrize("depthwise", [False, True])
def test_maps_of_the_papers_sizes(depthwise: bool) -> None:
    """Figure 2: 19 cells a side, then 10, 5, 3 and 1."""
    layers = ExtraLayers(24, PAPER, depthwise)
    maps = layers(torch.randn(2, 24, 19, 19))
    assert [tuple(x.shape) for x in maps] == [
        (2, 32, 10, 10),
        (2, 16, 5, 5),
        (2, 16, 3, 3),
        (2, 16, 1, 1),
    ]
    assert layers.channels == [32, 16, 16, 16]
    assert all((x >= 0).all() for x in maps)


def test_a_kernel_of_four_ends_with_one_cell() -> None:
    """SSD512's conv12_2."""
    assert ExtraLayers(8, ((8, 4, 1, 1),), depthwise=False)(torch.randn(1, 8, 2, 2))[0].shape[-2:] == (1, 1)


def test_no_rows_no_maps() -> None:
    assert ExtraLayers(8, (), depthwise=True)(torch.randn(1, 8, 2, 2)) == []


def test_photos_too_small_for_the_layers_are_refused() -> None:
    with pytest.raises(UsageError, match=r"a kernel of 3 does not fit a map of 2 x 2\. Give a larger --size"):
        ExtraLayers(8, ((8, 3, 1, 0),), depthwise=False)(torch.randn(1, 8, 2, 2))


@pytest.mark.parametrize("depthwise", [False, True])
def test_maps_keep_their_variance(depthwise: bool) -> None:
    torch.manual_seed(0)
    rows: tuple[Row, ...] = ((64, 3, 2, 1),) * 3
    coarsest = torch.randn(4, 64, 40, 40).relu()
    for x in ExtraLayers(64, rows, depthwise)(coarsest):
        assert 0.2 < x.square().mean().sqrt() < 3


def test_l2_norm_by_hand() -> None:
    norm = L2Norm(2)
    x = torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([12.0, 16.0]))  # 20 times 3/5 and 4/5
    with torch.no_grad():
        norm.scale.copy_(torch.tensor([1.0, 5.0]))
    torch.testing.assert_close(norm(x).flatten(), torch.tensor([0.6, 4.0]))


def vgg_state() -> dict[str, Tensor]:
    """torchvision's VGG16, with the names that timm gives to its classifier."""
    state = vgg16(weights=None).state_dict()
    fc = {"0": ("fc1", (4096, 512, 7, 7)), "3": ("fc2", (4096, 4096, 1, 1))}
    for number, (name, shape) in fc.items():
        state[f"pre_logits.{name}.weight"] = state.pop(f"classifier.{number}.weight").reshape(shape)
        state[f"pre_logits.{name}.bias"] = state.pop(f"classifier.{number}.bias")
    return state


def test_vgg_starts_from_every_fourth_pretrained_weight() -> None:
    """Section 3: fc6 and fc7 are subsampled."""
    state = vgg_state()
    state["pre_logits.fc1.bias"] = torch.arange(4096.0)
    network = AtrousVGG16(state)
    assert torch.equal(network.features[28].weight, state["features.28.weight"])
    assert torch.equal(network.fc6.weight[5, 7, 1, 2], state["pre_logits.fc1.weight"][20, 7, 3, 6])
    assert torch.equal(network.fc6.bias, torch.arange(0, 4096.0, 4))
    assert torch.equal(network.fc7.weight[3, 9, 0, 0], state["pre_logits.fc2.weight"][12, 36, 0, 0])


def test_vgg_maps_and_stages() -> None:
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


@pytest.mark.parametrize("reduced", [False, True])
def test_mobilenet_is_read_inside_a_block(reduced: bool) -> None:
    torch.manual_seed(0)
    theirs = mobilenet_v3_large(weights=None, reduced_tail=reduced).eval()
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
    ours = MobileNetV3(reduced, theirs.state_dict())
    x = torch.randn(1, 3, 96, 64)
    with torch.no_grad():
        inside, end = ours(x)
        before = theirs.features[:13](x)
        torch.testing.assert_close(inside, theirs.features[13].block[0](before), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(end, theirs.features(x), atol=1e-4, rtol=1e-4)
    assert ours.channels == [672, 480 if reduced else 960]
    assert inside.shape[-2:] == (6, 4)
    assert end.shape[-2:] == (3, 2)


def test_mobilenet_stages() -> None:
    network = MobileNetV3(True, None)
    everything = len(list(network.parameters()))
    trained = []
    for stages in range(5):
        network.freeze(stages)
        trained.append(sum(p.requires_grad for p in network.parameters()))
    assert trained[0] == everything
    assert trained == sorted(trained, reverse=True)
    assert trained[4] == 0


def test_wrong_weights_and_stages_are_refused() -> None:
    nothing = {"features.0.weight": torch.zeros(3)}
    with pytest.raises(WeightsError, match="do not fit vgg16"):
        AtrousVGG16(nothing)
    with pytest.raises(WeightsError, match="do not fit torchvision's MobileNetV3"):
        MobileNetV3(True, nothing)
    for network in (AtrousVGG16(None), MobileNetV3(True, None)):
        with pytest.raises(UsageError, match="no stage 5"):
            network.freeze(5)

"""MobileNetV3 split inside a block for SSDLite, and dilated for DeepLabv3."""

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v3_large

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.mobilenet import DilatedMobileNetV3, MobileNetV3


@pytest.mark.parametrize("reduced", [False, True])
def test_the_finer_map_is_the_expansion_inside_a_block(reduced: bool) -> None:
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


def test_each_stage_freezes_more() -> None:
    network = MobileNetV3(True, None)
    everything = len(list(network.parameters()))
    trained = []
    for stages in range(5):
        network.freeze(stages)
        trained.append(sum(p.requires_grad for p in network.parameters()))
    assert trained[0] == everything
    assert trained == sorted(trained, reverse=True)
    assert trained[4] == 0


@pytest.mark.parametrize("auxiliary", [False, True])
def test_the_dilated_network_equals_torchvisions(auxiliary: bool) -> None:
    torch.manual_seed(0)
    theirs = mobilenet_v3_large(weights=None, dilated=True).eval()
    ours = DilatedMobileNetV3(theirs.state_dict(), auxiliary)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        maps = ours(x)
        torch.testing.assert_close(maps[-1], theirs.features(x), atol=1e-4, rtol=1e-4)
        if auxiliary:
            torch.testing.assert_close(maps[0], theirs.features[:5](x), atol=1e-4, rtol=1e-4)
    assert ours.channels == ([40, 960] if auxiliary else [960])
    assert [tuple(x.shape[-2:]) for x in maps] == [(8, 12), (4, 6)][-len(maps) :]


def test_weights_of_another_network_are_rejected() -> None:
    with pytest.raises(WeightsError, match="do not fit torchvision's MobileNetV3"):
        MobileNetV3(True, {"features.0.weight": torch.zeros(3)})


def test_a_missing_stage_is_rejected() -> None:
    with pytest.raises(UsageError, match="no stage 5"):
        MobileNetV3(True, None).freeze(5)

"""A folded network computes and learns the same as the original."""

import copy

import pytest
import timm
import torch
from torch import Tensor, nn

from boxmask.pipeline.features.folded_norm import fold_batch_norm
from boxmask.pipeline.layers import FoldedConv2d, FrozenNorm2d


def stir(network: nn.Module) -> nn.Module:
    """Give every batch norm random statistics and weights."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
            if module.affine:
                nn.init.uniform_(module.weight, 0.8, 1.2)
                nn.init.normal_(module.bias, std=0.1)
    return network.eval()


def two(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    """The network, original and folded."""
    torch.manual_seed(0)
    stirred = stir(network)
    return stirred, fold_batch_norm(copy.deepcopy(stirred))


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.detach().abs().max()))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "densenet121"])
def test_timm_networks_compute_the_same(name: str) -> None:
    """Norms after, before and between convolutions, with and without TensorFlow's padding."""
    plain, folded = two(timm.create_model(name, features_only=True))
    assert not [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    pixels = torch.randn(2, 3, 75, 96)
    with torch.no_grad():
        for ours, theirs in zip(folded(pixels), plain(pixels), strict=True):
            assert_close(ours, theirs)


def test_only_norms_before_a_convolution_stay_separate_layers() -> None:
    count = {}
    for name in ("resnet18", "densenet121"):
        folded = fold_batch_norm(timm.create_model(name, features_only=True))
        count[name] = sum(isinstance(module, FrozenNorm2d) for module in folded.modules())
    assert count["resnet18"] == 0
    assert count["densenet121"] == 58 + 3 + 1  # the first of each layer and transition, and the last of all


def test_the_gradient_equals_that_of_the_frozen_network() -> None:
    plain, folded = two(timm.create_model("resnet18", features_only=True, out_indices=(1, 2)))
    pixels = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    for network in (plain, folded):
        sum((m**2).sum() for m in network.double()(pixels)).backward()
    expected = {name: parameter.grad for name, parameter in plain.named_parameters() if parameter.ndim == 4}
    found = {name: parameter.grad for name, parameter in folded.named_parameters()}
    assert list(found) == list(expected)
    for name, gradient in expected.items():
        assert gradient is not None
        assert_close(found[name], gradient)


def test_weights_are_kept_as_they_are() -> None:
    plain, folded = two(timm.create_model("resnet18", features_only=True))
    expected = dict(plain.named_parameters())
    assert all(torch.equal(parameter, expected[name]) for name, parameter in folded.named_parameters())


@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_one_convolution(groups: int, bias: bool, affine: bool) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2, groups=groups, bias=bias)
    norm = stir(nn.BatchNorm2d(8, affine=affine))
    assert isinstance(norm, nn.BatchNorm2d)
    x = torch.randn(2, 4, 11, 13)
    assert_close(FoldedConv2d(conv, norm)(x), norm(conv(x)))


def test_train_mode_changes_nothing() -> None:
    _, folded = two(timm.create_model("resnet18", features_only=True, out_indices=(1,)))
    pixels = torch.randn(1, 3, 64, 64)
    before = folded(pixels)[0]
    assert torch.equal(folded.train()(pixels)[0], before)


class OutOfOrder(nn.Module):
    """Defines conv, norm; computes norm, conv."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.conv(self.norm(x))]


def test_a_network_that_computes_in_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="another order than it defines them"):
        fold_batch_norm(stir(OutOfOrder()))


def test_a_norm_without_statistics_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(ValueError, match="no running statistics"):
        fold_batch_norm(network)


def test_prediction_sees_every_change_of_the_weights() -> None:
    """It keeps the scaled weights from photo to photo."""
    conv = FoldedConv2d(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4).eval())
    other, photo = (
        FoldedConv2d(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4).eval()),
        torch.rand(1, 3, 8, 8),
    )

    def predicted(layer: nn.Module) -> Tensor:
        with torch.inference_mode():
            return layer(photo).clone()

    def agrees(layer: nn.Module) -> bool:
        return torch.equal(predicted(layer), layer(photo))

    first = predicted(conv)
    assert torch.equal(first, predicted(conv))
    torch.optim.SGD(conv.parameters(), 0.1).zero_grad()
    conv(photo).square().sum().backward()
    torch.optim.SGD(conv.parameters(), 0.1).step()
    assert agrees(conv)
    assert not torch.equal(first, predicted(conv))
    assert torch.equal(predicted(copy.deepcopy(conv)), predicted(conv))
    conv.load_state_dict(other.state_dict())
    assert agrees(conv)
    assert torch.equal(predicted(conv), predicted(other))
    conv.to(torch.float64).to(torch.float32)
    assert agrees(conv)


def test_a_folded_convolution_compiles_as_one_graph() -> None:
    conv = FoldedConv2d(nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4).eval())
    x = torch.randn(2, 3, 9, 9)
    compiled = torch.compile(conv, backend="eager", fullgraph=True)
    assert_close(compiled(x), conv(x))

"""The box head of torchvision's second networks, and truncated SVD; tests/detectors has the usual head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from boxmask.pipeline.heads.box import BoxHead, compress_head, thin_layers, truncated_svd
from boxmask.pipeline.layers import Linear


def test_convolutions_replace_the_second_layer() -> None:
    torch.manual_seed(0)
    head, rois = BoxHead(6, 3, 7, 10, convs=2), torch.randn(4, 6, 7, 7)
    assert not any(key.startswith("fc7.") for key in head.state_dict())
    x = rois
    for conv, _ in head.convs:
        x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1))
    hidden = F.relu(F.linear(x.flatten(1), head.fc6.weight, head.fc6.bias))
    logits, deltas = head(rois)
    torch.testing.assert_close(logits, head.logits(hidden))
    torch.testing.assert_close(deltas.flatten(1), head.deltas(hidden))


def test_without_convolutions_there_are_two_layers() -> None:
    head = BoxHead(6, 3, 7, 10)
    layers = {key.split(".")[0] for key in head.state_dict()}
    assert layers == {"fc6", "fc7", "logits", "deltas"}
    assert isinstance(head.fc7, nn.Linear)


# ---------------------------------------------------------------- truncated SVD, compared with numpy's

WIDE, TALL = (12, 7), (7, 12)  # inputs, outputs


def layer_of(inputs: int, outputs: int) -> Linear:
    torch.manual_seed(0)
    return Linear(inputs, outputs)


def weights_of(thinned: nn.Sequential) -> torch.Tensor:
    """The product of both layers."""
    return (thinned[1].weight @ thinned[0].weight).detach()  # type: ignore[operator]


@pytest.mark.parametrize("shape", [WIDE, TALL])
def test_at_full_rank_nothing_is_lost(shape: tuple[int, int]) -> None:
    layer, given = layer_of(*shape), torch.randn(5, shape[0])
    torch.testing.assert_close(truncated_svd(layer, 7)(given), layer(given), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [WIDE, TALL])
@pytest.mark.parametrize("rank", [1, 3, 6])
def test_the_best_approximation_of_its_rank(shape: tuple[int, int], rank: int) -> None:
    """The error is that of the singular values left out (Eckart and Young)."""
    layer = layer_of(*shape)
    weights = layer.weight.detach().double().numpy()
    u, s, vt = np.linalg.svd(weights, full_matrices=False)
    found = weights_of(truncated_svd(layer, rank)).double().numpy()
    np.testing.assert_allclose(found, (u[:, :rank] * s[:rank]) @ vt[:rank], atol=1e-6)
    assert np.linalg.matrix_rank(found, tol=1e-5) == rank
    assert np.linalg.norm(found - weights) == pytest.approx(np.linalg.norm(s[rank:]), rel=1e-5)


def test_only_the_second_layer_has_the_bias() -> None:
    """Section 3.1."""
    layer = layer_of(*WIDE)
    first, second = truncated_svd(layer, 3)
    assert not first.bias.any()
    assert torch.equal(second.bias, layer.bias)
    assert (first.weight.shape, second.weight.shape) == ((3, 12), (7, 3))


def test_a_layer_of_low_rank_loses_nothing() -> None:
    layer = layer_of(*WIDE)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(7, 2) @ torch.randn(2, 12))
    torch.testing.assert_close(weights_of(truncated_svd(layer, 2)), layer.weight.detach(), rtol=0, atol=1e-5)


def multiplications(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters() if parameter.ndim == 2)


def test_fewer_multiplications() -> None:
    """t (u + v) for u v: at the paper's ranks, a quarter and an eighth of VGG16's fc6 and fc7."""
    assert multiplications(thin_layers(25088, 4096, 1024)) == 1024 * (25088 + 4096)
    assert multiplications(truncated_svd(layer_of(64, 32), 8)) == 8 * (64 + 32) < 64 * 32
    assert 25088 * 4096 / multiplications(thin_layers(25088, 4096, 1024)) == pytest.approx(3.44, abs=0.01)
    assert 4096 * 4096 / multiplications(thin_layers(4096, 4096, 256)) == 8


def test_the_original_layer_is_not_changed() -> None:
    layer = layer_of(*WIDE)
    before = layer.weight.detach().clone()
    truncated_svd(layer, 2)
    assert torch.equal(layer.weight, before)


def test_a_compressed_head_equals_one_built_with_svd_ranks() -> None:
    torch.manual_seed(0)
    head, thinner = BoxHead(2, 3, 2, 6), BoxHead(2, 3, 2, 6, svd_ranks=(4, 5))
    compress_head(head, (4, 5))
    thinner.load_state_dict(head.state_dict())
    given = torch.randn(3, 2, 2, 2)
    for ours, theirs in zip(head(given), thinner(given), strict=True):
        assert torch.equal(ours, theirs)


def test_a_head_compressed_at_full_rank_gives_the_same_output() -> None:
    torch.manual_seed(0)
    head, given = BoxHead(2, 3, 2, 6), torch.randn(3, 2, 2, 2)
    before = head(given)
    compress_head(head, (6, 6))
    for now, then in zip(head(given), before, strict=True):
        torch.testing.assert_close(now, then)

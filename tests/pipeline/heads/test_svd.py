"""Truncated SVD of a layer, compared with numpy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from boxmask.pipeline.heads.box import BoxHead, compress
from boxmask.pipeline.heads.svd import thin, truncated
from boxmask.pipeline.linear import Linear

WIDE, TALL = (12, 7), (7, 12)  # inputs, outputs


def layer_of(inputs: int, outputs: int) -> Linear:
    torch.manual_seed(0)
    return Linear(inputs, outputs)


def weights_of(thinned: nn.Sequential) -> torch.Tensor:
    """What both layers do together."""
    return (thinned[1].weight @ thinned[0].weight).detach()  # type: ignore[operator]


@pytest.mark.parametrize("shape", [WIDE, TALL])
def test_at_full_rank_nothing_is_lost(shape: tuple[int, int]) -> None:
    layer, given = layer_of(*shape), torch.randn(5, shape[0])
    torch.testing.assert_close(truncated(layer, 7)(given), layer(given), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [WIDE, TALL])
@pytest.mark.parametrize("rank", [1, 3, 6])
def test_the_best_approximation_of_its_rank(shape: tuple[int, int], rank: int) -> None:
    """Eckart and Young: what is lost are the singular values that are left out."""
    layer = layer_of(*shape)
    weights = layer.weight.detach().double().numpy()
    u, s, vt = np.linalg.svd(weights, full_matrices=False)
    found = weights_of(truncated(layer, rank)).double().numpy()
    np.testing.assert_allclose(found, (u[:, :rank] * s[:rank]) @ vt[:rank], atol=1e-6)
    assert np.linalg.matrix_rank(found, tol=1e-5) == rank
    assert np.linalg.norm(found - weights) == pytest.approx(np.linalg.norm(s[rank:]), rel=1e-5)


def test_the_first_layer_has_no_bias_and_the_second_that_of_the_whole() -> None:
    """Section 3.1."""
    layer = layer_of(*WIDE)
    first, second = truncated(layer, 3)
    assert not first.bias.any()
    assert torch.equal(second.bias, layer.bias)
    assert (first.weight.shape, second.weight.shape) == ((3, 12), (7, 3))


def test_a_layer_of_low_rank_loses_nothing() -> None:
    layer = layer_of(*WIDE)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(7, 2) @ torch.randn(2, 12))
    torch.testing.assert_close(weights_of(truncated(layer, 2)), layer.weight.detach(), rtol=0, atol=1e-5)


def multiplications(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters() if parameter.ndim == 2)


def test_fewer_multiplications() -> None:
    """t (u + v) for u v: at the paper's ranks, a quarter and an eighth of VGG16's fc6 and fc7."""
    assert multiplications(thin(25088, 4096, 1024)) == 1024 * (25088 + 4096)
    assert multiplications(truncated(layer_of(64, 32), 8)) == 8 * (64 + 32) < 64 * 32
    assert 25088 * 4096 / multiplications(thin(25088, 4096, 1024)) == pytest.approx(3.44, abs=0.01)
    assert 4096 * 4096 / multiplications(thin(4096, 4096, 256)) == 8


def test_a_truncated_layer_is_left_as_it_was() -> None:
    layer = layer_of(*WIDE)
    before = layer.weight.detach().clone()
    truncated(layer, 2)
    assert torch.equal(layer.weight, before)


def test_a_compressed_head_is_one_that_is_built_thin() -> None:
    torch.manual_seed(0)
    head, thinner = BoxHead(2, 3, 2, 6), BoxHead(2, 3, 2, 6, svd_ranks=(4, 5))
    compress(head, (4, 5))
    thinner.load_state_dict(head.state_dict())
    given = torch.randn(3, 2, 2, 2)
    for ours, theirs in zip(head(given), thinner(given), strict=True):
        assert torch.equal(ours, theirs)


def test_a_head_compressed_at_full_rank_says_the_same() -> None:
    torch.manual_seed(0)
    head, given = BoxHead(2, 3, 2, 6), torch.randn(3, 2, 2, 2)
    before = head(given)
    compress(head, (6, 6))
    for now, then in zip(head(given), before, strict=True):
        torch.testing.assert_close(now, then)

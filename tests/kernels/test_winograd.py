from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels import conv3x3

SHAPES = [(2, 64, 96, 33, 50), (1, 96, 64, 48, 43), (5, 64, 64, 21, 17)]  # N, C, K, H, W: edges cut tiles


def leaves(n: int, c: int, k: int, height: int, width: int) -> list[Tensor]:
    torch.manual_seed(0)
    input = torch.randn(n, c, height, width).to(memory_format=torch.channels_last)
    made = [input, torch.randn(k, c, 3, 3) / (3 * c**0.5), torch.randn(k)]
    return [leaf.requires_grad_() for leaf in made]


def direct(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.conv2d(input.double(), weight.double(), bias.double(), padding=1)


def runs_our_operator(input: Tensor, weight: Tensor) -> bool:
    return "conv3x3" in str(getattr(conv3x3(input, weight.requires_grad_()), "grad_fn", None))


@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_the_direct_sums(shape: tuple[int, ...]) -> None:
    given = leaves(*shape)
    found, expected = conv3x3(*given), direct(*given)
    assert runs_our_operator(given[0], given[1])
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-4)
    grad = torch.randn_like(found)
    ours = torch.autograd.grad(found, given, grad)
    theirs = torch.autograd.grad(expected, given, grad.double())
    for own, wanted in zip(ours, theirs, strict=True):
        error = (own - wanted).abs().max()
        assert error < 1e-4 * wanted.std()


def test_without_bias() -> None:
    input, weight, _ = leaves(*SHAPES[0])
    torch.testing.assert_close(
        conv3x3(input, weight), F.conv2d(input, weight, padding=1), atol=1e-4, rtol=1e-4
    )


def test_memory_layout_does_not_matter() -> None:
    input, weight, bias = leaves(*SHAPES[0])
    expected = conv3x3(input, weight, bias)
    assert torch.equal(conv3x3(input.contiguous(), weight, bias), expected)
    assert torch.equal(conv3x3(torch.cat([input, input], 3)[..., :50], weight, bias), expected)


def in_threads(threads: int) -> list[Tensor]:
    given = leaves(4, 64, 64, 60, 70)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        out = conv3x3(*given)
        return [out, *torch.autograd.grad(out.square().sum(), given[:2])]
    finally:
        torch.set_num_threads(before)


def test_the_same_bit_for_bit_with_any_number_of_threads() -> None:
    one = in_threads(1)
    for threads in (2, 3):
        assert all(torch.equal(a, b) for a, b in zip(one, in_threads(threads), strict=True))


def test_its_result_may_be_changed_in_place() -> None:
    given = leaves(*SHAPES[0])
    out = F.relu(conv3x3(*given), inplace=True)
    torch.testing.assert_close(out.double(), direct(*given).relu(), atol=1e-4, rtol=1e-4)
    out.sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w: (x[:1, :, :8, :8], w),  # too small a map
        lambda x, w: (x[:, :48], w[:, :48]),  # channels that do not fill the registers
        lambda x, w: (x.double(), w.double()),
        lambda x, w: (x[:0], w),
    ],
)
def test_where_it_does_not_pay_it_is_the_direct_convolution(change) -> None:
    input, weight = change(*[leaf.detach() for leaf in leaves(*SHAPES[0])[:2]])
    assert not runs_our_operator(input, weight)
    assert torch.equal(conv3x3(input, weight), F.conv2d(input, weight, padding=1))


def test_is_a_proper_operator() -> None:
    given = leaves(1, 64, 64, 12, 13)
    torch.library.opcheck(torch.ops.boxmask.conv3x3.default, tuple(given))
    grad = torch.randn(1, 64, 12, 13)
    torch.library.opcheck(torch.ops.boxmask.conv3x3_weight_gradient.default, (grad, given[0].detach()))


def test_compiled_and_exported_networks_hold_the_plain_convolution() -> None:
    given = leaves(*SHAPES[0])
    compiled = torch.compile(conv3x3, backend="aot_eager", fullgraph=True)(*given)
    torch.testing.assert_close(compiled, F.conv2d(*given, padding=1))


def test_mixed_precision_is_left_to_pytorch() -> None:
    given = leaves(*SHAPES[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert conv3x3(*given).dtype == torch.bfloat16

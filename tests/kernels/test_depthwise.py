"""The gradient of depthwise weights equals PyTorch's, and PyTorch's is used where ours does not apply."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels import depthwise

# images, channels, height, width, side, stride, padding
SHAPES = [
    (2, 130, 9, 12, 5, 1, 2),
    (1, 8, 21, 17, 5, 2, 0),
    (3, 24, 10, 11, 7, 2, 3),
    (1, 16, 1, 1, 5, 1, 2),  # most taps lie outside the map
    (2, 5, 6, 3, 5, 1, 4),
]


def leaves(shape: tuple[int, ...]) -> tuple[list[Tensor], tuple[int, int]]:
    n, c, height, width, side, stride, padding = shape
    generator = torch.Generator().manual_seed(0)
    shapes = ((n, c, height, width), (c, 1, side, side), (c,))
    made = [torch.randn(s, generator=generator).requires_grad_() for s in shapes]
    return made, (stride, padding)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_equal_pytorchs(shape: tuple[int, ...], layout: torch.memory_format) -> None:
    given, options = leaves(shape)
    out = depthwise(given[0].contiguous(memory_format=layout), *given[1:], *options)
    assert "depthwise" in str(out.grad_fn)
    exact = [leaf.detach().double().requires_grad_() for leaf in given]
    expected = F.conv2d(*exact, *options, groups=shape[1])
    torch.testing.assert_close(out.double(), expected, atol=1e-4, rtol=1e-4)
    weights = torch.linspace(-1, 1, out.numel()).view(out.shape)
    ours = torch.autograd.grad((out * weights).sum(), given)
    theirs = torch.autograd.grad((expected * weights).sum(), exact)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.double(), b, atol=1e-4, rtol=1e-4)


def test_the_same_bit_for_bit_with_any_number_of_threads() -> None:
    input, grad = torch.randn(3, 300, 12, 12), torch.randn(3, 300, 12, 12)
    before = torch.get_num_threads()
    gradients = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        gradients.append(torch.ops.boxmask.depthwise_weight_gradient(grad, input, 5, 1, 2))
    torch.set_num_threads(before)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])


@pytest.mark.parametrize("frozen", [0, 2])
def test_frozen_arguments_get_no_gradient(frozen: int) -> None:
    given, options = leaves(SHAPES[0])
    given[frozen].requires_grad_(False)
    depthwise(*given, *options).sum().backward()
    assert [leaf.grad is None for leaf in given] == [number == frozen for number in range(3)]


@pytest.mark.parametrize(
    "change",
    [
        lambda x, w, b: (x, w[:, :, 1:-1, 1:-1].detach().requires_grad_(), b),  # 3x3
        lambda x, w, b: (x, w.detach(), b),  # the weight needs no gradient
        lambda x, w, b: (x.double(), w.double(), b.double()),
        lambda x, w, b: (x[:0], w, b),
    ],
)
def test_other_cases_are_left_to_pytorch(change) -> None:
    given, options = leaves(SHAPES[0])
    changed = change(*given)
    out = depthwise(*changed, *options)
    assert "boxmask" not in str(out.grad_fn)
    assert torch.equal(out, F.conv2d(*changed, *options, groups=len(changed[1])))


def test_operators_are_registered_correctly() -> None:
    given, options = leaves((2, 8, 6, 7, 5, 1, 2))
    torch.library.opcheck(torch.ops.boxmask.depthwise, (*given, *options))
    grad = torch.randn(2, 8, 6, 7)
    operator = torch.ops.boxmask.depthwise_weight_gradient
    torch.library.opcheck(operator, (grad, given[0].detach(), 5, 1, 2))

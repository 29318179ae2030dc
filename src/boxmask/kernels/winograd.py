"""3x3 convolution by Winograd's minimal filtering: a quarter of the multiplications.

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, arXiv:1509.09308, section 4.3:
F(4x4, 3x3) makes 16 outputs from 36 products for each pair of channels, where the definition takes 144.
PyTorch on a CPU always takes the 144, so that the 3x3 convolutions of pyramids, region proposal networks and
towers are most of a training step.

The price is rounding: in float32 the result is off by about four times what the direct sum is off by, and
an input that is not finite spoils all outputs of its tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.layout import channels_last, fresh_maps
from boxmask.kernels.simd import FUSED, PANEL, ROWS
from boxmask.kernels.threads import parallel_for
from boxmask.kernels.tracing import is_exporting
from boxmask.kernels.winograd_loops import (
    Floats,
    Maps,
    Packing,
    add_weight_gradients,
    convolve_tiles,
    count_tiles,
    transform_gradients,
    transform_inputs,
    transform_weight_gradients,
    transform_weights,
)

_TILES = 48  # tiles a task: their transforms stay in the cache
_TILES_OF_GRADIENTS = 128
_PART = 16  # tiles of them that one task transforms
_PAIRS = 4096  # pairs of channels whose weights one task transforms
_FEWEST_CHANNELS = 64
_FEWEST_TILES = 64
_FEWEST_TILES_OF_REGIONS = 256  # of all RoIs together: sixteen of 14x14 pixels


def conv3x3(input: Tensor, weight: Tensor, bias: Tensor | None = None, per_roi: bool = False) -> Tensor:
    """A 3x3 convolution of stride 1 with one pixel of zeros around, like `F.conv2d(..., padding=1)`.

    input:   (N, C, H, W); channels-last is fastest, anything else is converted once
    weight:  (K, C, 3, 3)
    bias:    (K,)
    per_roi: whether the maps are small ones of many RoIs; whether Winograd's algorithm pays then depends on
             how many there are, where otherwise the size of a map decides, whatever stands beside it
    Returns (N, K, H, W), channels-last. On a CPU, in float32 and where it pays, by Winograd's algorithm,
    which can be differentiated once; otherwise, and while a network is being exported, it is `F.conv2d`.
    """
    if not (_fits(input, weight, bias) and _pays(input, weight, per_roi)):
        return F.conv2d(input, weight, bias, padding=1)
    given = weight.new_zeros(len(weight)) if bias is None else bias
    out: Tensor = _conv3x3(input, weight, given)
    return out


def _fits(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether the loops can do it; they check nothing themselves. Of what cannot be, `F.conv2d` complains."""
    if input.ndim != 4 or weight.shape[1:] != (input.shape[1], 3, 3):
        return False
    if bias is not None and bias.shape != weight.shape[:1]:
        return False
    given = [input, weight] if bias is None else [input, weight, bias]
    plain = all(one.device.type == "cpu" and one.dtype == torch.float32 for one in given)
    return plain and input.shape[1] % PANEL == 0 and len(weight) % PANEL == 0


def _pays(input: Tensor, weight: Tensor, per_roi: bool) -> bool:
    """Whether the transforms cost less than what they save; the same for a photo alone and in a batch."""
    if not FUSED or torch.is_autocast_enabled("cpu"):
        return False
    if is_exporting():
        return False
    tiles = -(-input.shape[2] // 4) * -(-input.shape[3] // 4)
    many = len(input) * tiles >= _FEWEST_TILES_OF_REGIONS if per_roi else tiles >= _FEWEST_TILES
    return len(input) > 0 and min(weight.shape[:2]) >= _FEWEST_CHANNELS and many


@torch.library.custom_op("boxmask::conv3x3", mutates_args=(), device_types="cpu")
def _conv3x3(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if not _fits(input, weight, bias):
        raise ValueError(f"conv3x3: {input.shape}, {weight.shape} and {bias.shape} do not fit its loops")
    source, added = channels_last(input), bias.detach().contiguous().numpy()
    n, height, width, _ = source.shape
    out = fresh_maps(input, n, height, width, len(weight))
    maps, out_maps = Maps(*source.shape), Maps(n, height, width, len(weight))
    transformed = _transformed(weight)
    flat, target = source.reshape(-1), channels_last(out).reshape(-1)

    def work(task: tuple[int, int]) -> None:
        convolve_tiles(flat, maps, transformed, added, target, out_maps, *task)

    tiles = count_tiles(maps)
    share = -(-tiles // torch.get_num_threads())
    most = min(_TILES, -(-share // ROWS) * ROWS)
    parallel_for(work, [(at, min(at + most, tiles)) for at in range(0, tiles, most)])
    return out


@torch.library.custom_op("boxmask::conv3x3_weight_gradient", mutates_args=(), device_types="cpu")
def _weight_gradient(grad: Tensor, input: Tensor) -> Tensor:
    if not _fits(input, grad.new_empty(grad.shape[1], input.shape[1], 3, 3), None):
        raise ValueError(f"conv3x3: {input.shape} and {grad.shape} do not fit its loops")
    given, source = channels_last(grad), channels_last(input)
    maps, out_maps = Maps(*source.shape), Maps(*given.shape)
    total = np.zeros(36 * maps.channels * out_maps.channels, np.float32)
    most = _TILES_OF_GRADIENTS
    packing = Packing(most, PANEL)
    inputs, gradients = (np.empty(36 * most * m.channels, np.float32) for m in (maps, out_maps))
    flat_input, flat_grad = source.reshape(-1), given.reshape(-1)
    for begin in range(0, count_tiles(maps), most):
        end = min(begin + most, count_tiles(maps))

        def transform(part: int) -> None:
            span = (part, min(part + _PART, end))  # noqa: B023
            transform_inputs(flat_input, maps, *span, inputs, begin, packing)  # noqa: B023
            transform_gradients(flat_grad, out_maps, *span, gradients, begin, packing)  # noqa: B023

        def add(f: int) -> None:
            add_weight_gradients(inputs, gradients, f, packing, end - begin, maps.channels, total)  # noqa: B023

        parallel_for(transform, range(begin, end, _PART))
        parallel_for(add, range(36))
    return _back_to_weights(total, maps.channels, out_maps.channels)


@_conv3x3.register_fake
def _(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    shape = (input.shape[0], weight.shape[0], *input.shape[2:])
    return torch.empty(shape, dtype=input.dtype, device=input.device, memory_format=torch.channels_last)


@_weight_gradient.register_fake
def _(grad: Tensor, input: Tensor) -> Tensor:
    shape = (grad.shape[1], input.shape[1], 3, 3)
    return torch.empty(shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], inputs[1])


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    input, weight = ctx.saved_tensors
    to_input, to_weight, to_bias = ctx.needs_input_grad
    turned = weight.flip(2, 3).transpose(0, 1)
    return (
        _conv3x3(grad, turned, grad.new_zeros(len(turned))) if to_input else None,
        _weight_gradient(grad, input) if to_weight else None,
        grad.sum((0, 2, 3)) if to_bias else None,
    )


_conv3x3.register_autograd(_backward, setup_context=_setup_context)


def _transformed(weight: Tensor) -> Floats:
    """(K, C, 3, 3) -> G w G^T in the order in which the product reads it: flat [36, K / PANEL, C, PANEL]."""
    k, c = weight.shape[:2]
    panels = weight.detach().permute(2, 3, 0, 1).reshape(9, k // PANEL, PANEL, c).transpose(2, 3)
    source, out = panels.reshape(-1).numpy(), np.empty(36 * k * c, np.float32)
    _in_ranges(k * c, lambda begin, end: transform_weights(source, begin, end, out))
    return out


def _back_to_weights(total: Floats, c: int, k: int) -> Tensor:
    """G^T total G for total (36, C, K), flat -> (K, C, 3, 3)."""
    out = np.empty(9 * c * k, np.float32)
    _in_ranges(c * k, lambda begin, end: transform_weight_gradients(total, begin, end, out))
    pairs = torch.from_numpy(out).view(3, 3, c, k)
    return pairs.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


def _in_ranges(pairs: int, work: Callable[[int, int], None]) -> None:
    """All pairs of channels, a few thousand a task; PANEL divides their number."""
    parallel_for(lambda at: work(at, min(at + _PAIRS, pairs)), range(0, pairs, _PAIRS))

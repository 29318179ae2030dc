"""3x3 convolution by Winograd's minimal filtering, with a quarter of the multiplications.

Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, arXiv:1509.09308, section 4.3:
F(4x4, 3x3) computes 16 outputs from 36 products per pair of channels; the definition takes 144. PyTorch on a
CPU always computes the 144, so 3x3 convolutions take most of a training step.

The price is precision: the float32 rounding error is about four times that of the direct sum, and an input
that is not finite spoils all outputs of its tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from boxmask.kernels.layout import aligned_empty_maps, channels_last
from boxmask.kernels.operators import operator_or_function
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

_TILES_PER_TASK = 48  # their transforms stay in the cache
_TILES_PER_GRADIENT = 128  # tiles whose weight gradient is computed at a time
_TILES_PER_TRANSFORM = 16  # tiles of them that one task transforms
_PAIRS_PER_TASK = 4096  # pairs of channels whose weights one task transforms
_MIN_CHANNELS = 64
_MIN_TILES = 64  # tiles per image; below, the transforms do not pay off
_MIN_TILES_OF_ROIS = 256  # tiles of all RoIs together: sixteen RoIs of 14x14 pixels


def conv3x3(input: Tensor, weight: Tensor, bias: Tensor | None = None, per_roi: bool = False) -> Tensor:
    """Compute `F.conv2d(..., padding=1)` with a 3x3 kernel and stride 1.

    input:   (N, C, H, W); channels-last is fastest, other layouts are converted
    weight:  (K, C, 3, 3)
    bias:    (K,)
    per_roi: the input holds small maps, one per RoI. Winograd's algorithm then pays off if there are many of
             them; otherwise it depends on the size of a map alone, so that a batch equals its single images.
    Returns (N, K, H, W), channels-last. On a CPU, in float32 and if it pays off, Winograd's algorithm
    computes it; it is then differentiable once. Otherwise, and during export, it is `F.conv2d`.
    """
    if not (_fits(input, weight, bias) and _pays_off(input, weight, per_roi)):
        return F.conv2d(input, weight, bias, padding=1)
    given = (input, weight, weight.new_zeros(len(weight)) if bias is None else bias)
    return operator_or_function(_conv3x3, _convolve, *given)(*given)


def _fits(input: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Return True if the loops can compute it; they do not check. `F.conv2d` rejects invalid arguments."""
    if input.ndim != 4 or weight.shape[1:] != (input.shape[1], 3, 3):
        return False
    if bias is not None and bias.shape != weight.shape[:1]:
        return False
    tensors = [input, weight] if bias is None else [input, weight, bias]
    supported = all(x.device.type == "cpu" and x.dtype == torch.float32 for x in tensors)
    return supported and input.shape[1] % PANEL == 0 and len(weight) % PANEL == 0


def _pays_off(input: Tensor, weight: Tensor, per_roi: bool) -> bool:
    """Return True if the transforms cost less than they save."""
    if not FUSED or torch.is_autocast_enabled("cpu") or is_exporting():
        return False
    tiles = -(-input.shape[2] // 4) * -(-input.shape[3] // 4)
    enough = len(input) * tiles >= _MIN_TILES_OF_ROIS if per_roi else tiles >= _MIN_TILES
    return len(input) > 0 and min(weight.shape[:2]) >= _MIN_CHANNELS and enough


def _convolve(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if not _fits(input, weight, bias):
        found = f"{tuple(input.shape)}, {tuple(weight.shape)} and {tuple(bias.shape)}"
        raise ValueError(f"conv3x3: its loops do not support arguments of shapes {found}")
    source, bias_values = channels_last(input), bias.detach().contiguous().numpy()
    n, height, width, _ = source.shape
    out = aligned_empty_maps(input, n, height, width, len(weight))
    maps = Maps(*source.shape)
    transformed = _transform_weights(weight)
    flat, target = source.reshape(-1), channels_last(out).reshape(-1)

    def convolve(task: tuple[int, int]) -> None:
        convolve_tiles(flat, maps, transformed, bias_values, target, *task)

    tiles = count_tiles(maps)
    per_thread = -(-tiles // torch.get_num_threads())
    step = min(_TILES_PER_TASK, -(-per_thread // ROWS) * ROWS)
    parallel_for(convolve, [(begin, min(begin + step, tiles)) for begin in range(0, tiles, step)])
    return out


_conv3x3 = torch.library.custom_op("boxmask::conv3x3", _convolve, mutates_args=(), device_types="cpu")


@torch.library.custom_op("boxmask::conv3x3_weight_gradient", mutates_args=(), device_types="cpu")
def _weight_gradient(grad: Tensor, input: Tensor) -> Tensor:
    if not _fits(input, grad.new_empty(grad.shape[1], input.shape[1], 3, 3), None):
        found = f"{tuple(input.shape)} and {tuple(grad.shape)}"
        raise ValueError(f"conv3x3: its loops do not support arguments of shapes {found}")
    source, grad_maps = channels_last(input), channels_last(grad)
    maps, out_maps = Maps(*source.shape), Maps(*grad_maps.shape)
    total = np.zeros(36 * maps.channels * out_maps.channels, np.float32)
    step = _TILES_PER_GRADIENT
    packing = Packing(step, PANEL)
    inputs, gradients = (np.empty(36 * step * m.channels, np.float32) for m in (maps, out_maps))
    flat_input, flat_grad = source.reshape(-1), grad_maps.reshape(-1)
    for begin in range(0, count_tiles(maps), step):
        end = min(begin + step, count_tiles(maps))

        def transform(first: int) -> None:
            span = (first, min(first + _TILES_PER_TRANSFORM, end))  # noqa: B023
            transform_inputs(flat_input, maps, *span, inputs, begin, packing)  # noqa: B023
            transform_gradients(flat_grad, out_maps, *span, gradients, begin, packing)  # noqa: B023

        def add(f: int) -> None:
            add_weight_gradients(inputs, gradients, f, packing, end - begin, maps.channels, total)  # noqa: B023

        parallel_for(transform, range(begin, end, _TILES_PER_TRANSFORM))
        parallel_for(add, range(36))
    return _weight_gradient_of(total, maps.channels, out_maps.channels)


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
    needs_input, needs_weight, needs_bias = ctx.needs_input_grad
    rotated = weight.flip(2, 3).transpose(0, 1)
    return (
        _conv3x3(grad, rotated, grad.new_zeros(len(rotated))) if needs_input else None,
        _weight_gradient(grad, input) if needs_weight else None,
        grad.sum((0, 2, 3)) if needs_bias else None,
    )


_conv3x3.register_autograd(_backward, setup_context=_setup_context)


def _transform_weights(weight: Tensor) -> Floats:
    """(K, C, 3, 3) -> G w G^T in the order in which the product reads it, flat [36, K / PANEL, C, PANEL]."""
    k, c = weight.shape[:2]
    panels = weight.detach().permute(2, 3, 0, 1).reshape(9, k // PANEL, PANEL, c).transpose(2, 3)
    source, out = panels.reshape(-1).numpy(), np.empty(36 * k * c, np.float32)
    _in_ranges(k * c, lambda begin, end: transform_weights(source, begin, end, out))
    return out


def _weight_gradient_of(total: Floats, c: int, k: int) -> Tensor:
    """Compute G^T total G: (36, C, K), flat -> (K, C, 3, 3)."""
    out = np.empty(9 * c * k, np.float32)
    _in_ranges(c * k, lambda begin, end: transform_weight_gradients(total, begin, end, out))
    pairs = torch.from_numpy(out).view(3, 3, c, k)
    return pairs.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


def _in_ranges(pairs: int, work: Callable[[int, int], None]) -> None:
    """Call `work` for ranges of a few thousand pairs of channels. PANEL divides the number of pairs."""
    step = _PAIRS_PER_TASK
    parallel_for(lambda begin: work(begin, min(begin + step, pairs)), range(0, pairs, step))

"""Convert tensors of any depth to RGB, as `photos/rgb.py` converts arrays."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from boxmask.errors import PhotoError
from boxmask.photos.rgb import floats_outside


def to_rgb(image: Tensor) -> Tensor:
    """Convert to RGB: (1, H, W), (3, H, W) or (4, H, W) of any depth -> (3, H, W) uint8, or float32 in 0..1.

    Raises PhotoError for floating-point values outside 0..1.
    """
    if image.is_floating_point():
        image = _checked_floats(image)
    elif image.dtype == torch.uint16:
        image = (image.to(torch.int32) >> 8).to(torch.uint8)
    if len(image) == 4:
        return _blend_with_white(image)
    return image.repeat(3, 1, 1) if len(image) == 1 else image


def with_channel_axis(tensor: Tensor) -> Tensor:
    """Add a channel axis to gray images: (H, W) or (C, H, W) -> (C, H, W).

    Raises PhotoError for any other shape or type.
    """
    valid_shape = tensor.ndim == 2 or (tensor.ndim == 3 and len(tensor) in (1, 3, 4))
    valid_type = tensor.dtype in (torch.uint8, torch.uint16) or tensor.is_floating_point()
    if not (valid_shape and valid_type and tensor.numel()):
        expected = "(H, W), (1, H, W), (3, H, W) or (4, H, W) of uint8, uint16 or floats in 0..1"
        found = f"{tensor.dtype} {tuple(tensor.shape)}"
        several = " Pass several photos as a list." if tensor.ndim == 4 else ""
        raise PhotoError(f"photo tensor: expected {expected}, found {found}.{several}")
    return tensor[None] if tensor.ndim == 2 else tensor


def to_uint8_array(image: Tensor) -> UInt8[np.ndarray, "H W 3"]:
    """Convert an image from `to_image` to an array: (3, H, W) uint8 or float in 0..1 -> (H, W, 3) uint8."""
    if image.is_floating_point():
        image = (image * 255).round().to(torch.uint8)
    return np.ascontiguousarray(image.cpu().permute(1, 2, 0).numpy())


def _checked_floats(image: Tensor) -> Tensor:
    low, high = torch.stack(image.detach().aminmax()).tolist()  # a GPU is waited for once
    if not (low >= 0 and high <= 1):  # also true for NaN
        raise floats_outside(low, high)
    return image.to(torch.float32)


def _blend_with_white(rgba: Tensor) -> Tensor:
    """(4, H, W) -> (3, H, W): color · alpha + white · (1 − alpha)."""
    color, alpha = rgba[:3], rgba[3:]
    if rgba.is_floating_point():
        return color * alpha + (1 - alpha)
    color, alpha = color.to(torch.int32), alpha.to(torch.int32)
    return ((color * alpha + 255 * (255 - alpha) + 127) // 255).to(torch.uint8)

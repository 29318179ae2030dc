"""Convert arrays of any depth to RGB.

- Gray becomes three equal channels.
- Transparent pixels are blended with white, as web pages show them; their own color is arbitrary.
- 16-bit values keep their upper eight bits (value >> 8): 0..65535 becomes 0..255.
- Floating-point values must be in 0..1. Other values raise PhotoError instead of being guessed at.

`photos/rgb_tensors.py` does the same to tensors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from boxmask.errors import PhotoError

if TYPE_CHECKING:
    from jaxtyping import Float32, Shaped, UInt8
    from numpy.typing import NDArray


def rgb_array(array: NDArray[Any]) -> UInt8[np.ndarray, "H W 3"] | Float32[np.ndarray, "H W 3"]:
    """(H, W) or (H, W, 1), 3 or 4 channels of any depth -> (H, W, 3) uint8, or float32 in 0..1.

    RGB of uint8 stays as it is. Raises PhotoError for any other shape or type, and for floating-point values
    outside 0..1.
    """
    image = with_channels(array)
    if image.dtype.kind == "f":
        image = checked_floats(image)
    elif image.dtype.itemsize == 2:
        image = (image >> 8).astype(np.uint8)
    if image.shape[2] == 4:
        return _blend_with_white(image)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def to_uint8(image: Shaped[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """(H, W, 3) uint8 or float in 0..1 -> the same as uint8."""
    return image if image.dtype == np.uint8 else np.round(image * 255).astype(np.uint8)


def with_channels(array: NDArray[Any]) -> Shaped[np.ndarray, "H W C"]:
    """Add a channel axis to gray images: (H, W) or (H, W, C) -> (H, W, C).

    Raises PhotoError for any other shape or type.
    """
    valid_shape = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    valid_type = array.dtype.kind == "f" or (array.dtype.kind == "u" and array.dtype.itemsize <= 2)
    if not (valid_shape and valid_type and array.size):
        expected = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16 or floats in 0..1"
        raise PhotoError(f"photo array: expected {expected}, found {array.dtype} {array.shape}")
    return array[..., None] if array.ndim == 2 else array


def checked_floats(image: NDArray[Any]) -> NDArray[np.float32]:
    """Floats as float32. Raises PhotoError for values outside 0..1."""
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):  # also true for NaN
        raise floats_outside(low, high)
    return image.astype(np.float32, copy=False)


def floats_outside(low: float, high: float) -> PhotoError:
    """The error to raise for floating-point values outside 0..1."""
    advice = "Divide by the largest possible value, or clamp."
    return PhotoError(f"photo of floats: expected values in 0..1, found {low:g}..{high:g}. {advice}")


def _blend_with_white(rgba: Shaped[np.ndarray, "H W 4"]) -> Shaped[np.ndarray, "H W 3"]:
    """Color · alpha + white · (1 − alpha)."""
    color, alpha = rgba[..., :3], rgba[..., 3:]
    if rgba.dtype.kind == "f":
        return np.asarray(color * alpha + (1 - alpha))
    color, alpha = color.astype(np.int32), alpha.astype(np.int32)
    return np.asarray((color * alpha + 255 * (255 - alpha) + 127) // 255, dtype=np.uint8)

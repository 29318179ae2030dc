"""The color spaces of Selective Search, each channel scaled to 0..255, in one pass over the pixels.

A photo (H, W, 3) becomes planes (3, H, W), because the next steps work on whole rows of a channel.

Uijlings et al. 2013, section 3.2: HSV, Lab (CIE 1976, D65), rgI (normalized red and green, intensity).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_WHITE = (0.950456, 1.0, 1.088754)  # D65, as in CIE's tables


@compiled
def to_hsv(rgb: Bytes, out: Floats) -> None:
    """Convert (H, W, 3) uint8 to planes of hue, saturation and value; the hue of gray is 0."""
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = np.float32(rgb[y, x, 0]), np.float32(rgb[y, x, 1]), np.float32(rgb[y, x, 2])
            high, low = max(r, g, b), min(r, g, b)
            span = high - low
            hue = np.float32(0)
            if span > 0:
                if high == r:
                    hue = (g - b) / span
                elif high == g:
                    hue = np.float32(2) + (b - r) / span
                else:
                    hue = np.float32(4) + (r - g) / span
                if hue < 0:
                    hue += np.float32(6)
            out[0, y, x] = hue * np.float32(255 / 6)
            out[1, y, x] = np.float32(255) * span / high if high > 0 else np.float32(0)
            out[2, y, x] = high


@compiled
def _linear_light() -> Any:
    """Return sRGB's linear intensity of each of the 256 values (IEC 61966-2-1)."""
    curve = np.empty(256, np.float32)
    for value in range(256):
        part = value / 255
        curve[value] = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    return curve


@compiled
def _cube_roots() -> Any:
    """Return CIE's function f at 4096 steps of 0..1, for interpolation."""
    table = np.empty(4098, np.float32)
    for k in range(len(table)):
        t = k / 4096
        table[k] = t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
    return table


@compiled
def _interpolate(table: Floats, t: Any) -> Any:
    position = t * np.float32(4096)
    k = min(int(position), 4096)
    return table[k] + (table[k + 1] - table[k]) * (position - np.float32(k))


@compiled
def to_lab(rgb: Bytes, out: Floats) -> None:
    """Convert (H, W, 3) uint8 to planes of L*, scaled from 0..100 to 0..255, a* + 128 and b* + 128."""
    light, roots, f = _linear_light(), _cube_roots(), np.float32
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = light[rgb[y, x, 0]], light[rgb[y, x, 1]], light[rgb[y, x, 2]]
            fx = _interpolate(roots, (f(0.412453) * r + f(0.357580) * g + f(0.180423) * b) * f(1 / _WHITE[0]))
            fy = _interpolate(roots, f(0.212671) * r + f(0.715160) * g + f(0.072169) * b)
            fz = _interpolate(roots, (f(0.019334) * r + f(0.119193) * g + f(0.950227) * b) * f(1 / _WHITE[2]))
            out[0, y, x] = (f(116) * fy - f(16)) * f(2.55)
            out[1, y, x] = f(500) * (fx - fy) + f(128)
            out[2, y, x] = f(200) * (fy - fz) + f(128)


@compiled
def to_rgi(rgb: Bytes, out: Floats) -> None:
    """Convert (H, W, 3) uint8 to red and green as fractions of the sum, and the mean; black is gray."""
    third = np.float32(1 / 3)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = np.float32(rgb[y, x, 0]), np.float32(rgb[y, x, 1]), np.float32(rgb[y, x, 2])
            total = r + g + b
            out[0, y, x] = np.float32(255) * (r / total if total > 0 else third)
            out[1, y, x] = np.float32(255) * (g / total if total > 0 else third)
            out[2, y, x] = total * third

"""Colour spaces of Selective Search, every channel stretched to 0..255, in one pass over the pixels.

Uijlings et al. 2013, section 3.2: HSV, Lab (CIE 1976, D65), rgI (normalised red and green, intensity).
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
    """(H, W, 3) uint8 -> hue, saturation and value; a grey's hue is 0."""
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
            out[y, x, 0] = hue * np.float32(255 / 6)
            out[y, x, 1] = np.float32(255) * span / high if high > 0 else np.float32(0)
            out[y, x, 2] = high


@compiled
def _linear_light() -> Any:
    """sRGB's curve for each of the 256 values (IEC 61966-2-1)."""
    curve = np.empty(256, np.float32)
    for value in range(256):
        part = value / 255
        curve[value] = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    return curve


@compiled
def _cube_roots() -> Any:
    """CIE's f at 4096 steps of 0..1, for interpolation."""
    table = np.empty(4098, np.float32)
    for k in range(len(table)):
        t = k / 4096
        table[k] = t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
    return table


@compiled
def _between(table: Floats, t: Any) -> Any:
    place = t * np.float32(4096)
    k = min(int(place), 4096)
    return table[k] + (table[k + 1] - table[k]) * (place - np.float32(k))


@compiled
def to_lab(rgb: Bytes, out: Floats) -> None:
    """(H, W, 3) uint8 -> L* from 0..100 to 0..255; a* and b* plus 128."""
    light, roots, f = _linear_light(), _cube_roots(), np.float32
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = light[rgb[y, x, 0]], light[rgb[y, x, 1]], light[rgb[y, x, 2]]
            fx = _between(roots, (f(0.412453) * r + f(0.357580) * g + f(0.180423) * b) * f(1 / _WHITE[0]))
            fy = _between(roots, f(0.212671) * r + f(0.715160) * g + f(0.072169) * b)
            fz = _between(roots, (f(0.019334) * r + f(0.119193) * g + f(0.950227) * b) * f(1 / _WHITE[2]))
            out[y, x, 0] = (f(116) * fy - f(16)) * f(2.55)
            out[y, x, 1] = f(500) * (fx - fy) + f(128)
            out[y, x, 2] = f(200) * (fy - fz) + f(128)


@compiled
def to_rgi(rgb: Bytes, out: Floats) -> None:
    """(H, W, 3) uint8 -> red and green as parts of the sum, and the mean; black counts as grey."""
    third = np.float32(1 / 3)
    for y in range(rgb.shape[0]):
        for x in range(rgb.shape[1]):
            r, g, b = np.float32(rgb[y, x, 0]), np.float32(rgb[y, x, 1]), np.float32(rgb[y, x, 2])
            total = r + g + b
            out[y, x, 0] = np.float32(255) * (r / total if total > 0 else third)
            out[y, x, 1] = np.float32(255) * (g / total if total > 0 else third)
            out[y, x, 2] = total * third


@compiled
def colour_bins(image: Floats, bins: int, out: Bytes) -> None:
    """(H, W, C) in 0..255 -> number of the bin of every value."""
    scale = np.float32(bins / 256)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            for c in range(image.shape[2]):
                out[y, x, c] = min(max(int(image[y, x, c] * scale), 0), bins - 1)


@compiled
def texture_bins(across: Floats, down: Floats, bins: int, out: Bytes) -> None:
    """Derivatives (H, W, C) -> bin of the response in eight directions, (H, W, 8 C).

    A Gaussian's derivative in any direction is a sum of the two (Freeman & Adelson 1991, section 2); what is
    negative belongs to the opposite direction. Bins reach up to the channel's strongest response.
    """
    height, width, channels = across.shape
    half = np.float32(np.sqrt(0.5))
    for c in range(channels):
        top = np.float32(1e-6)
        for y in range(height):
            for x in range(width):
                gx, gy = across[y, x, c], down[y, x, c]
                ax, ay = abs(gx), abs(gy)
                top = max(top, max(ax, ay, half * (ax + ay)))
        scale, last = np.float32(bins) / top, np.float32(bins - 1)
        for y in range(height):
            for x in range(width):
                gx, gy = across[y, x, c] * scale, down[y, x, c] * scale
                one, two = half * (gx + gy), half * (gy - gx)
                for k, response in enumerate((gx, one, gy, two)):
                    size = np.uint8(min(abs(response), last))
                    forward = response > 0
                    out[y, x, 8 * c + k] = size if forward else 0
                    out[y, x, 8 * c + k + 4] = 0 if forward else size

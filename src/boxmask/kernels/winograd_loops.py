"""The loops of Winograd's 3x3 convolution over channels-last maps.

A tile of 4x4 outputs reads 6x6 inputs. Each channel of the tile is transformed to 36 values. For each of the
36, the sum over channels is a matrix product (tiles, C) x (C, K). The 36 sums are transformed back to 4x4
outputs. The matrices are those of F(4x4, 3x3) in Lavin & Gray, arXiv:1509.09308, section 4.3, here called
INPUT (B^T), OUTPUT (A^T) and WEIGHT (G); gradients use their transposes.

Tiles are counted over the whole batch, row by row. Transformed maps are flat arrays
[36, channels / width, tiles, width] (`Packing`), in the order in which the product reads them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.compiled import compiled_fused
from boxmask.kernels.simd import LANES, PANEL, ROWS, combination, multiply_tile

Floats = NDArray[np.float32]

SIMD_DIGEST = "acaabbc42ea5c361"  # of simd.py: changing it here makes numba compile again (see `compiled`)

INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
OUTPUT = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
WEIGHT = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_to_input: Any = combination(INPUT)
_to_output: Any = combination(OUTPUT)
_to_weight: Any = combination(WEIGHT)
_from_output: Any = combination(tuple(zip(*OUTPUT, strict=True)))
_from_weight: Any = combination(tuple(zip(*WEIGHT, strict=True)))


class Maps(NamedTuple):
    """The shape (N, H, W, C) of channels-last maps."""

    images: int
    height: int
    width: int
    channels: int


class Packing(NamedTuple):
    """The layout of transformed tiles: [36, channels / width, tiles, width], flat."""

    tiles: int
    width: int


@compiled_fused
def count_tiles(maps: Maps) -> int:
    """Return the number of tiles that cover the outputs of all images."""
    return maps.images * ((maps.height + 3) // 4) * ((maps.width + 3) // 4)


@compiled_fused
def _origin(tile: int, maps: Maps) -> tuple[int, int, int]:
    """Return the image, the first row and the first column of a tile's outputs."""
    rows, columns = (maps.height + 3) // 4, (maps.width + 3) // 4
    image, rest = divmod(tile, rows * columns)
    row, column = divmod(rest, columns)
    return image, 4 * row, 4 * column


@compiled_fused
def _gather(source: Floats, maps: Maps, tile: int, first: int, side: int, patch: Floats) -> None:
    """Copy side x side pixels, from a tile's row and column `first` on; zeros outside the map."""
    image, top, left = _origin(tile, maps)
    c = maps.channels
    for i in range(side):
        y = top + first + i
        for j in range(side):
            x, to = left + first + j, (i * side + j) * c
            if 0 <= y < maps.height and 0 <= x < maps.width:
                at = ((image * maps.height + y) * maps.width + x) * c
                for k in range(c):  # assigning a slice takes as long to compile as all the rest
                    patch[to + k] = source[at + k]
            else:
                patch[to : to + c] = 0


@compiled_fused
def _is_inside(maps: Maps, tile: int, first: int, side: int) -> bool:
    """Return True if the side x side pixels from `first` on are all on the map."""
    _, top, left = _origin(tile, maps)
    low = top + first >= 0 and left + first >= 0
    return low and top + first + side <= maps.height and left + first + side <= maps.width


@compiled_fused
def transform_inputs(
    source: Floats, maps: Maps, begin: int, end: int, packed: Floats, first: int, packing: Packing
) -> None:
    """Transform tiles `begin` to `end` of the inputs into `packed`, which starts with tile `first`."""
    c = maps.channels
    patch, scratch = np.empty(36 * c, np.float32), np.empty(36 * LANES, np.float32)
    stride = c * packing.tiles
    for tile in range(begin, end):
        image, top, left = _origin(tile, maps)
        at, row = ((image * maps.height + top - 1) * maps.width + left - 1) * c, maps.width * c
        read = source
        if not _is_inside(maps, tile, -1, 6):
            _gather(source, maps, tile, -1, 6, patch)
            read, at, row = patch, 0, 6 * c
        for k in range(0, c, LANES):
            for j in range(6):
                _to_input(read, at + j * c + k, row, scratch, j * LANES, 6 * LANES)
            to = _offset(packing, tile - first, k)
            for i in range(6):
                _to_input(scratch, 6 * i * LANES, LANES, packed, to + 6 * i * stride, stride)


@compiled_fused
def transform_gradients(
    source: Floats, maps: Maps, begin: int, end: int, packed: Floats, first: int, packing: Packing
) -> None:
    """Transform gradients of 4x4 outputs into `packed`; the adjoint of `_transform_outputs`."""
    c = maps.channels
    patch, scratch = np.empty(16 * c, np.float32), np.empty(24 * LANES, np.float32)
    stride = c * packing.tiles
    for tile in range(begin, end):
        image, top, left = _origin(tile, maps)
        at, row = ((image * maps.height + top) * maps.width + left) * c, maps.width * c
        read = source
        if not _is_inside(maps, tile, 0, 4):
            _gather(source, maps, tile, 0, 4, patch)
            read, at, row = patch, 0, 4 * c
        for k in range(0, c, LANES):
            for j in range(4):
                _from_output(read, at + j * c + k, row, scratch, j * LANES, 4 * LANES)
            to = _offset(packing, tile - first, k)
            for i in range(6):
                _from_output(scratch, 4 * i * LANES, LANES, packed, to + 6 * i * stride, stride)


@compiled_fused
def transform_weights(weight: Floats, begin: int, end: int, out: Floats) -> None:
    """Transform (3, 3, pairs of channels) -> (6, 6, pairs), for the pairs `begin` to `end`."""
    pairs, scratch = len(weight) // 9, np.empty(18 * LANES, np.float32)
    for k in range(begin, end, LANES):
        for j in range(3):
            _to_weight(weight, j * pairs + k, 3 * pairs, scratch, j * LANES, 3 * LANES)
        for i in range(6):
            _to_weight(scratch, 3 * i * LANES, LANES, out, 6 * i * pairs + k, pairs)


@compiled_fused
def transform_weight_gradients(total: Floats, begin: int, end: int, out: Floats) -> None:
    """Transform (6, 6, pairs) -> (3, 3, pairs); the adjoint of `transform_weights`."""
    pairs, scratch = len(out) // 9, np.empty(18 * LANES, np.float32)
    for k in range(begin, end, LANES):
        for j in range(6):
            _from_weight(total, j * pairs + k, 6 * pairs, scratch, j * LANES, 6 * LANES)
        for i in range(3):
            _from_weight(scratch, 6 * i * LANES, LANES, out, 3 * i * pairs + k, pairs)


@compiled_fused
def _offset(packing: Packing, tile: int, channel: int) -> int:
    panel, inside = divmod(channel, packing.width)
    return (panel * packing.tiles + tile) * packing.width + inside


@compiled_fused
def _transform_outputs(
    sums: Floats, tiles: int, begin: int, end: int, bias: Floats, out: Floats, maps: Maps
) -> None:
    """Transform the sums [36, tiles, columns] of tiles `begin` to `end` to 4x4 outputs, and add `bias`."""
    c, columns = maps.channels, len(sums) // (36 * tiles)
    patch, scratch = np.empty(16 * c, np.float32), np.empty(24 * LANES, np.float32)
    stride = tiles * columns
    for tile in range(begin, end):
        for k in range(0, c, LANES):
            at = (tile - begin) * columns + k
            for j in range(6):
                _to_output(sums, at + j * stride, 6 * stride, scratch, j * LANES, 6 * LANES)
            for i in range(4):
                _to_output(scratch, 6 * i * LANES, LANES, patch, 4 * i * c + k, c)
        _write_outputs(patch, bias, tile, out, maps)


@compiled_fused
def _write_outputs(patch: Floats, bias: Floats, tile: int, out: Floats, maps: Maps) -> None:
    """Write the 4x4 outputs of a tile to the map."""
    image, top, left = _origin(tile, maps)
    c = maps.channels
    for i in range(min(4, maps.height - top)):
        for j in range(min(4, maps.width - left)):
            to, at = ((image * maps.height + top + i) * maps.width + left + j) * c, 4 * i * c + j * c
            target, values = out[to : to + c], patch[at : at + c]
            for k in range(c):
                target[k] = values[k] + bias[k]


@compiled_fused
def convolve_tiles(
    source: Floats, maps: Maps, weight: Floats, bias: Floats, out: Floats, begin: int, end: int
) -> None:
    """Compute the outputs of tiles `begin` to `end`; `weight` is [36, panels, C, PANEL]."""
    depth, count = maps.channels, (end - begin + ROWS - 1) // ROWS * ROWS
    panels = len(weight) // (36 * depth * PANEL)
    packing, columns = Packing(count, depth), panels * PANEL
    packed = np.zeros(36 * count * depth, np.float32)  # zeros, as the last rows may belong to no tile
    sums = np.empty(36 * count * columns, np.float32)
    transform_inputs(source, maps, begin, end, packed, begin, packing)
    for f in range(36):
        for panel in range(panels):
            b = (f * panels + panel) * depth * PANEL
            for row in range(0, count, ROWS):
                a, c = (f * count + row) * depth, (f * count + row) * columns + panel * PANEL
                multiply_tile(packed, a, depth, 1, weight, b, PANEL, sums, c, columns, depth, False)
    out_maps = Maps(maps.images, maps.height, maps.width, len(bias))
    _transform_outputs(sums, count, begin, end, bias, out, out_maps)


@compiled_fused
def add_weight_gradients(
    inputs: Floats, gradients: Floats, f: int, packing: Packing, tiles: int, channels: int, total: Floats
) -> None:
    """Add inputs[f]^T (C, tiles) gradients[f] (tiles, K), both packed in panels, to total[f] (C, K)."""
    panels = len(gradients) // (36 * packing.tiles * PANEL)
    columns = panels * PANEL
    for panel in range(panels):
        b = (f * panels + panel) * packing.tiles * PANEL
        for row in range(0, channels, ROWS):
            left, inside = divmod(row, packing.width)
            a = (f * channels + left * packing.width) * packing.tiles + inside
            c = (f * channels + row) * columns + panel * PANEL
            multiply_tile(inputs, a, 1, packing.width, gradients, b, PANEL, total, c, columns, tiles, True)

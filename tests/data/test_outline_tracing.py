"""Masks as polygons, and polygons as a single ring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boxmask.data.outline_tracing import join_rings, single_ring, trace
from boxmask.data.outlines import Ellipse, Polygons, RunLengths, fill
from boxmask.geometry import rle
from boxmask.masks import Masks

SIZE = (9, 12)
masks = arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8)))


def run_lengths(pixels: np.ndarray) -> RunLengths:
    return RunLengths(rle.encode(Masks.from_dense(pixels[None]))[0], pixels.shape)


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])


@given(masks)
def test_traced_polygons_cover_the_same_pixels(pixels: np.ndarray) -> None:
    mask = run_lengths(pixels)
    polygons = trace(mask)
    assert bool(polygons.parts) == bool(pixels.any())
    if polygons.parts:
        assert fill(polygons, mask.size, mask.size).tolist() == mask.counts.tolist()


@given(masks)
def test_a_single_ring_covers_the_same_pixels(pixels: np.ndarray) -> None:
    mask = run_lengths(pixels)
    ring = single_ring(mask, mask.size)
    assert bool(len(ring)) == bool(pixels.any())
    if len(ring):
        assert fill(Polygons((ring,)), mask.size, mask.size).tolist() == mask.counts.tolist()


def test_a_hole_is_a_ring_of_its_own() -> None:
    pixels = np.ones((5, 6), dtype=bool)
    pixels[2, 2:4] = False
    polygons = trace(run_lengths(pixels))
    assert [part.tolist() for part in polygons.parts] == [[[0, 0], [6, 0], [6, 5], [0, 5]]]
    assert [hole.tolist() for hole in polygons.holes] == [[[2, 2], [4, 2], [4, 3], [2, 3]]]


def test_pixels_that_touch_at_a_corner_are_two_parts() -> None:
    for pixels in (np.eye(2, dtype=bool), np.eye(2, dtype=bool)[::-1]):
        polygons = trace(run_lengths(pixels))
        assert [len(part) for part in polygons.parts] == [4, 4]
        assert not polygons.holes


def test_one_polygon_stays_as_it_is() -> None:
    ring = square(1.25, 2.5, 3.75)
    assert single_ring(Polygons((ring,)), SIZE) is ring


@pytest.mark.parametrize(
    "outline",
    [
        Polygons((square(0, 0, 3), square(5, 4, 4))),
        Polygons((square(0.5, 0.5, 7.2),), (square(2.5, 2.5, 3),)),
        Polygons((square(0, 0, 5), square(6, 0, 2)), (square(1, 1, 1), square(3, 3, 1))),
        Polygons((square(0, 0, 5), square(3, 3, 5))),  # they overlap
        Ellipse((6, 4), (5, 3), 20),
    ],
)
def test_parts_and_holes_are_joined(outline: Polygons) -> None:
    ring = single_ring(outline, SIZE)
    assert fill(Polygons((ring,)), SIZE, SIZE).tolist() == fill(outline, SIZE, SIZE).tolist()


def test_rings_are_joined_at_their_nearest_points() -> None:
    joined = join_rings([square(0, 0, 2), square(3, 2, 1)])
    assert joined.tolist() == [[0, 0], [2, 0], [2, 2], [3, 2], [4, 2], [4, 3], [3, 3], [3, 2], [2, 2], [0, 2]]

"""The masks of many objects as compressed text."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxmask.data.detection.compressed_masks import CompressedMasks
from boxmask.data.detection.rle_masks import RleMasks
from boxmask.geometry import rle
from boxmask.masks import Masks

seeds, sides = st.integers(0, 2**32 - 1), st.integers(1, 9)


def make_pixels(seed: int, count: int, height: int, width: int) -> NDArray[np.bool_]:
    """Masks with few, some or nearly all pixels, each with at least one."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((count, height, width)) < rng.choice([0.05, 0.3, 0.95], (count, 1, 1))
    pixels[:, rng.integers(height), rng.integers(width)] = True
    return pixels


def make_runs(pixels: NDArray[np.bool_]) -> list[NDArray[np.int32]]:
    return [runs.astype(np.int32) for runs in rle.encode(Masks.from_dense(pixels))]


@given(seeds, st.integers(1, 5), sides, sides)
def test_boxes_and_areas_are_those_of_the_pixels(seed: int, count: int, height: int, width: int) -> None:
    pixels = make_pixels(seed, count, height, width)
    masks = CompressedMasks.from_run_lengths(make_runs(pixels))
    rows = np.random.default_rng(seed).permutation(count)
    found = masks.boxes(rows, np.tile([height, width], (count, 1)))
    np.testing.assert_array_equal(found, Masks.from_dense(pixels[rows]).boxes())
    assert masks.areas().tolist() == pixels.sum(axis=(1, 2)).tolist()


@given(seeds, st.integers(1, 5), sides, sides)
def test_masks_survive_compression(seed: int, count: int, height: int, width: int) -> None:
    pixels = make_pixels(seed, count, height, width)
    runs = make_runs(pixels)
    masks = CompressedMasks.from_run_lengths(runs)
    expected, expanded = RleMasks.from_run_lengths(runs), masks.expand()
    np.testing.assert_array_equal(expanded.runs, expected.runs)
    np.testing.assert_array_equal(expanded.offsets, expected.offsets)
    for row in range(count):
        np.testing.assert_array_equal(masks.run_lengths(row), runs[row])
        np.testing.assert_array_equal(masks.mask(row, (height, width)).dense(), pixels[row : row + 1])


def test_empty_runs_disturb_neither_areas_nor_boxes() -> None:
    runs = [np.array(counts) for counts in ([0, 3, 0, 2, 58], [3, 0, 2, 4, 54], [5, 2, 30, 0, 26])]
    masks = CompressedMasks.from_run_lengths(runs)
    assert masks.areas().tolist() == [5, 4, 2]
    found = masks.boxes(np.arange(3), np.tile([7, 9], (3, 1)))
    expected = [masks.mask(row, (7, 9)).boxes()[0].tolist() for row in range(3)]
    assert found.tolist() == expected


def test_unknown_masks() -> None:
    some = CompressedMasks.from_run_lengths([np.array([2, 3, 4]), np.array([], dtype=np.int64)])
    assert some.known.tolist() == [True, False]
    assert some.areas().tolist() == [3, 0]
    assert len(some.run_lengths(1)) == 0
    assert CompressedMasks.unknown(3).known.tolist() == [False] * 3
    assert len(CompressedMasks.unknown(3).expand()) == len(CompressedMasks.unknown(3)) == 3

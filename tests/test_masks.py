"""Every operation on masks in windows equals the same operation on the full masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from boxmask.masks import Masks, nearest_indices

Dense = NDArray[np.bool_]
sides = st.integers(1, 9)


@st.composite
def full_masks(draw: st.DrawFn) -> Dense:
    """(N, H, W), some of them empty or full."""
    count, height, width = draw(st.integers(0, 4)), draw(sides), draw(sides)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = rng.choice([0.0, 0.1, 0.5, 1.0], (count, 1, 1))
    return rng.random((count, height, width)) < density


def same(masks: Masks, dense: Dense) -> None:
    """Compare with full masks; windows must be as small as possible."""
    assert masks.size == dense.shape[1:]
    assert np.array_equal(masks.dense(), dense)
    assert np.array_equal(masks.windows, Masks.from_dense(dense).windows)


@given(full_masks())
def test_dense_inverts_from_dense(dense: Dense) -> None:
    masks = Masks.from_dense(dense)
    same(masks, dense)
    assert len(masks) == len(dense)
    assert np.array_equal(np.asarray(masks), dense)
    assert np.array_equal(masks.areas(), dense.sum(axis=(1, 2)))
    assert np.array_equal(masks.known, dense.any(axis=(1, 2)))


@given(full_masks())
def test_flips(dense: Dense) -> None:
    same(Masks.from_dense(dense).hflip(), dense[:, :, ::-1])
    same(Masks.from_dense(dense).vflip(), dense[:, ::-1])


@given(full_masks(), st.integers(-10, 10), st.integers(-10, 10), st.tuples(sides, sides))
def test_shift_and_crop(dense: Dense, x: int, y: int, size: tuple[int, int]) -> None:
    expected = np.zeros((len(dense), *size), bool)
    for row in range(dense.shape[1]):
        for column in range(dense.shape[2]):
            if 0 <= row + y < size[0] and 0 <= column + x < size[1]:
                expected[:, row + y, column + x] = dense[:, row, column]
    same(Masks.from_dense(dense).shift_and_crop(x, y, size), expected)


@given(full_masks(), st.integers(0, 2**32))
def test_intersect(dense: Dense, seed: int) -> None:
    region = np.random.default_rng(seed).random(dense.shape[1:]) < 0.7
    region[: dense.shape[1] // 2] = True  # some masks lose nothing
    found = Masks.from_dense(dense).intersect(region)
    assert np.array_equal(found.dense(), dense & region)
    assert found == Masks.from_dense(dense & region)


@given(full_masks(), st.tuples(sides, sides))
def test_resize_takes_the_pixel_under_the_center(dense: Dense, size: tuple[int, int]) -> None:
    rows, columns = (nearest_indices(*pair) for pair in zip(dense.shape[1:], size, strict=True))
    same(Masks.from_dense(dense).resize(size), dense[:, rows][:, :, columns])
    assert nearest_indices(2, 4).tolist() == [0, 0, 1, 1]
    assert nearest_indices(5, 2).tolist() == [1, 3]


@given(full_masks(), st.data())
@settings(max_examples=50)
def test_selection(dense: Dense, data: st.DataObject) -> None:
    masks = Masks.from_dense(dense)
    flags = np.array(data.draw(st.lists(st.booleans(), min_size=len(dense), max_size=len(dense))), bool)
    rows = np.flatnonzero(flags)[::-1].copy()
    for selection in (flags, rows, torch.from_numpy(flags), torch.from_numpy(rows), slice(1, None)):
        same(
            masks[selection], dense[np.asarray(selection) if not isinstance(selection, slice) else selection]
        )


@given(full_masks(), full_masks())
def test_concatenate(first: Dense, second: Dense) -> None:
    size = first.shape[1:]
    other = Masks.from_dense(second).resize(size)
    together = Masks.concatenate([Masks.from_dense(first), other], size)
    same(together, np.concatenate([first, other.dense()]))
    assert len(Masks.concatenate([], size)) == 0


def test_boxes_enclose_the_pixels() -> None:
    dense = np.zeros((2, 6, 8), bool)
    dense[0, 2:4, 3:8] = True
    assert Masks.from_dense(dense).boxes().tolist() == [[3, 2, 8, 4], [0, 0, 0, 0]]


def test_crops_are_clipped_to_the_photo() -> None:
    masks = Masks.from_crops([np.ones((4, 4), bool), np.ones((2, 2), bool)], [(-2, 3), (9, 9)], (5, 6))
    assert masks.windows.tolist() == [[0, 3, 2, 5], [0, 0, 0, 0]]
    assert masks.known.tolist() == [True, False]


def test_unknown_masks_are_empty() -> None:
    masks = Masks.unknown(2, (3, 4))
    assert not masks.dense().any()
    assert masks.dense().shape == (2, 3, 4)
    assert not masks.known.any()


@pytest.mark.parametrize(
    ("windows", "bits", "message"),
    [
        (
            np.zeros((1, 4), np.int32),
            np.zeros(0, bool),
            r"windows: expected int64 \(N, 4\), found int32 \(1, 4\)",
        ),
        (np.zeros(4, np.int64), np.zeros(0, bool), r"windows: expected int64 \(N, 4\), found int64 \(4,\)"),
        (
            np.array([[0, 0, 5, 2]]),
            np.zeros(10, bool),
            r"windows: expected them inside 4 x 3, found \[\[0, 0, 5, 2",
        ),
        (np.array([[2, 0, 1, 2]]), np.zeros(0, bool), r"windows: expected them inside 4 x 3"),
        (np.array([[0, 0, 2, 2]]), np.zeros(3, bool), r"bits: expected bool \(4,\), found bool \(3,\)"),
        (np.array([[0, 0, 2, 2]]), np.zeros(4, np.uint8), r"bits: expected bool \(4,\), found uint8 \(4,\)"),
    ],
)
def test_parts_that_do_not_fit_are_rejected(windows: NDArray[np.int64], bits: Dense, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Masks((3, 4), windows, bits)


@given(full_masks())
def test_paint_puts_the_first_mask_on_top(dense: Dense) -> None:
    expected = np.zeros(dense.shape[1:], np.uint16)
    for number in reversed(range(len(dense))):
        expected[dense[number]] = number + 1
    painted = Masks.from_dense(dense).paint(np.arange(1, len(dense) + 1, dtype=np.uint16))
    assert np.array_equal(painted, expected)
    assert painted.dtype == np.uint16

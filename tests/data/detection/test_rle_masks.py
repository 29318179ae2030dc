"""The masks of many objects in flat arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.geometry import rle
from boxmask.masks import Masks

SIZE = (7, 9)


def marks() -> NDArray[np.bool_]:
    """Five objects, the second and the last without a pixel."""
    full = np.random.default_rng(0).random((5, *SIZE)) < 0.4
    full[[1, 4]] = False
    return full


def rle_masks() -> RleMasks:
    counts = rle.encode(Masks.from_dense(marks()))
    return RleMasks.from_run_lengths(
        [runs if mark.any() else runs[:0] for runs, mark in zip(counts, marks(), strict=True)]
    )


def test_masks_survive_encoding() -> None:
    assert np.array_equal(rle_masks().masks(slice(0, 5), SIZE).dense(), marks())
    assert np.array_equal(rle_masks().masks(slice(1, 3), SIZE).dense(), marks()[1:3])
    assert len(rle_masks().masks(slice(2, 2), SIZE)) == 0


def test_areas_and_known() -> None:
    assert rle_masks().areas().tolist() == marks().sum(axis=(1, 2)).tolist()
    assert rle_masks().known.tolist() == [True, False, True, True, False]


def test_empty_runs_do_not_disturb_areas() -> None:
    counts = [np.array([0, 3, 0, 2, 58]), np.array([3, 0, 2, 4, 54])]
    assert RleMasks.from_run_lengths(counts).areas().tolist() == [5, 4]


@pytest.mark.parametrize("rows", [[3, 0, 0, 1], [], [4], [True, False, False, True, True]])
def test_indexing(rows: list[int]) -> None:
    chosen = np.array(rows, dtype=np.bool_ if rows[:1] == [True] else np.int64)
    some = rle_masks()[chosen]
    assert np.array_equal(some.masks(slice(0, len(some)), SIZE).dense(), marks()[chosen])
    assert some.runs.dtype == np.int32
    assert some.offsets.dtype == np.int64


def test_unknown_masks() -> None:
    assert RleMasks.unknown(3).known.tolist() == [False] * 3
    assert RleMasks.unknown(3).areas().tolist() == [0, 0, 0]
    assert len(RleMasks.unknown(3)[np.array([2, 0])]) == 2
    assert len(RleMasks.from_run_lengths([])) == 0

"""Masks from scores with numpy alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask import kernels
from boxmask.runtime.paste import paste_masks


@given(st.integers(0, 2**31), st.integers(1, 200), st.integers(1, 200), st.integers(1, 5))
@settings(deadline=None, max_examples=50)
def test_equal_to_the_compiled_loops(seed: int, height: int, width: int, count: int) -> None:
    numbers = np.random.default_rng(seed)
    corners = np.sort(numbers.random((count, 2, 2)) * (width, height), axis=1)
    boxes, scores = corners.reshape(-1, 4).astype(np.float32), numbers.random((count, 14, 14), np.float32)
    found = paste_masks(scores, boxes, (height, width), 0.5)
    expected = kernels.paste_masks(torch.from_numpy(scores), torch.from_numpy(boxes), (height, width), 0.5)
    assert (found.dense() != expected.dense()).sum() <= 1  # a score at the threshold


@pytest.mark.parametrize(("count", "shape"), [(1, (2, 7, 7)), (1, (1, 7, 8))])
def test_other_shapes_are_refused(count: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"mask_scores: expected \(1, M, M\)"):
        paste_masks(np.zeros(shape, np.float32), np.zeros((count, 4), np.float32), (9, 9), 0.5)

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from boxmask.kernels.selective_search.texture import bin_pixels, smooth
from boxmask.pipeline.selective_search.hierarchies import gaussian, gaussian_derivative


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 40), (30, 2), (25, 33)])
def test_smoothing_and_derivatives_equal_scipys(shape: tuple[int, int]) -> None:
    """Includes weights that reach beyond the border more than once."""
    planes = (np.random.default_rng(0).random((2, *shape)) * 255).astype(np.float32)
    bell, slope = gaussian(1.3), gaussian_derivative(1.3)
    for down, across, orders in ((bell, bell, (0, 0)), (slope, bell, (1, 0)), (bell, slope, (0, 1))):
        out = np.empty_like(planes)
        smooth(planes, down, across, out)
        for c in range(2):
            expected = gaussian_filter(planes[c].astype(np.float64), 1.3, orders)
            np.testing.assert_allclose(out[c], expected, atol=2e-3)


def test_bins_of_colors_and_of_eight_directions() -> None:
    planes = np.array([[[0.0, 10.5, 255.0, 300.0]]], np.float32)
    across = np.array([[[0.0, 10.0, -10.0, 0.0]]], np.float32)
    down = np.array([[[0.0, 0.0, 0.0, 5.0]]], np.float32)
    codes = np.empty((1, 5, 4), np.uint16)
    bin_pixels(planes, across, down, (25, 10), codes)
    assert codes[0, 0].tolist() == [0, 1, 24, 24]
    signed = codes[0, 1:].astype(int) - (25 + 19 * np.arange(4)[:, None] + 9)
    # the strongest response is 10: bins of 1; along diagonals 10 / sqrt 2 = 7.07 and 5 / sqrt 2 = 3.5
    assert signed.tolist() == [[0, 9, -9, 0], [0, 7, -7, 3], [0, 0, 0, 5], [0, -7, 7, 3]]

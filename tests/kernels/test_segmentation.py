from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.kernels.segmentation_loops import count_edges, join_regions, sort_edges, weigh_edges


def edges(image: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    count = count_edges(*image.shape[:2])
    weights, ends = np.empty(count), np.empty((count, 2), np.int32)
    weigh_edges(image, weights, ends)
    return weights, ends


def regions(image: NDArray[np.float32], scale: float, smallest: int) -> NDArray[np.int32]:
    weights, ends = edges(image)
    flat = join_regions(weights, ends, sort_edges(weights), image[..., 0].size, scale, smallest)
    return flat.reshape(image.shape[:2])


def test_every_pair_of_neighbours_is_one_edge() -> None:
    image = np.arange(6, dtype=np.float32).reshape(2, 3, 1) * [[[3.0, 4.0]]]  # distance 5 a step
    weights, ends = edges(image.astype(np.float32))
    found = {tuple(sorted(pair)): weight for pair, weight in zip(ends.tolist(), weights, strict=True)}
    wanted = {(0, 1): 1, (1, 2): 1, (3, 4): 1, (4, 5): 1, (0, 3): 3, (1, 4): 3, (2, 5): 3}
    wanted |= {(0, 4): 4, (1, 5): 4, (1, 3): 2, (2, 4): 2}
    assert found == {pair: 5.0 * steps for pair, steps in wanted.items()}


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_narrow_pictures(shape: tuple[int, int]) -> None:
    labels = regions(np.zeros((*shape, 3), np.float32), 10.0, 1)
    assert labels.tolist() == np.zeros(shape).tolist()


def test_the_sort_is_exact_and_stable() -> None:
    rng = np.random.default_rng(0)
    weights = np.concatenate([rng.random(5000) * 300, np.zeros(500), 7 + rng.random(2000) * 1e-9])
    weights = rng.permutation(np.concatenate([weights, weights[:900]]))
    assert sort_edges(weights).tolist() == np.argsort(weights, kind="stable").tolist()


def test_two_flat_halves_are_two_regions() -> None:
    image = np.zeros((8, 10, 3), np.float32)
    image[:, 4:] = 50
    labels = regions(image, 100.0, 1)
    assert (labels[:, :4] == 0).all()
    assert (labels[:, 4:] == 1).all()


def test_the_scale_decides_how_large_a_step_joins() -> None:
    """Two regions of four pixels each join where their edge is below scale / 4 (equation 4)."""
    image = np.zeros((1, 8, 1), np.float32)
    image[:, 4:] = 10
    assert regions(image, 39.0, 1).max() == 1
    assert regions(image, 41.0, 1).max() == 0


def test_small_regions_join_across_their_lightest_edge() -> None:
    image = np.array([0, 0, 0, 90, 200, 200, 200], np.float32).reshape(1, 7, 1)
    assert regions(image, 1.0, 1).tolist() == [[0, 0, 0, 1, 2, 2, 2]]
    assert regions(image, 1.0, 2).tolist() == [[0, 0, 0, 0, 1, 1, 1]]

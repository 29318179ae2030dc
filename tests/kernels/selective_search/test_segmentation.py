from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.kernels.selective_search.segmentation import (
    STEP,
    count_edges,
    merge_regions,
    sort_edges,
    weigh_edges,
)

Planes = NDArray[np.float32]
Edge = tuple[float, int, int]  # weight, and its two pixels


def planes_of(values: object) -> Planes:
    """Return planes of one channel."""
    return np.array(values, np.float32)[None]


def edges(planes: Planes) -> list[Edge]:
    """Return all edges in the order in which they are visited."""
    height, width = planes.shape[1:]
    ordered, starts = sort_edges(weigh_edges(planes), height, width)
    assert len(ordered) == starts[-1] == count_edges(height, width)
    ends = [1, width, width + 1, 1 - width]
    weights = np.repeat(np.arange(len(starts) - 1), np.diff(starts.astype(np.int64))) * STEP
    pixels = [(int(edge) >> 2, (int(edge) >> 2) + ends[int(edge) & 3]) for edge in ordered]
    return [(float(weight), *pair) for weight, pair in zip(weights, pixels, strict=True)]


def regions(planes: Planes, scale: float, smallest: int) -> NDArray[np.int32]:
    shape = planes.shape[1:]
    return merge_regions(*sort_edges(weigh_edges(planes), *shape), shape, scale, smallest)


def by_the_paper(planes: Planes, scale: float, smallest: int) -> NDArray[np.int32]:
    """Compute algorithm 1 of the paper with sets, in Python; then merge small regions."""
    height, width = planes.shape[1:]
    region = {pixel: frozenset([pixel]) for pixel in range(height * width)}
    heaviest: dict[frozenset[int], float] = dict.fromkeys(region.values(), 0.0)

    def merge(a: frozenset[int], b: frozenset[int], weight: float) -> None:
        heaviest[a | b] = weight
        region.update(dict.fromkeys(a | b, a | b))

    ordered = edges(planes)
    for weight, p, q in ordered:
        a, b = region[p], region[q]
        if a != b and weight < min(heaviest[a] + scale / len(a), heaviest[b] + scale / len(b)):
            merge(a, b, weight)
    for _, p, q in ordered:
        a, b = region[p], region[q]
        if a != b and min(len(a), len(b)) < smallest:
            merge(a, b, 0.0)
    names: dict[frozenset[int], int] = {}
    labels = [names.setdefault(region[pixel], len(names)) for pixel in range(height * width)]
    return np.array(labels, np.int32).reshape(height, width)


def test_every_pair_of_neighbors_has_one_edge() -> None:
    planes = np.arange(6, dtype=np.float32).reshape(2, 3) * np.array([3.0, 4.0], np.float32)[:, None, None]
    found = {tuple(sorted(pair)): weight for weight, *pair in edges(planes)}  # a distance of 5 per step
    expected = {(0, 1): 1, (1, 2): 1, (3, 4): 1, (4, 5): 1, (0, 3): 3, (1, 4): 3, (2, 5): 3}
    expected |= {(0, 4): 4, (1, 5): 4, (1, 3): 2, (2, 4): 2}
    assert found == {pair: 5.0 * steps for pair, steps in expected.items()}


def test_weights_are_distances_rounded_down_to_a_step() -> None:
    planes = (np.random.default_rng(0).random((3, 9, 11)) * 255).astype(np.float32)
    flat = planes.reshape(3, -1).astype(np.float64)
    for weight, p, q in edges(planes):
        assert 0 <= np.linalg.norm(flat[:, p] - flat[:, q]) - weight < STEP * 1.01
    extremes = np.zeros((3, 1, 2), np.float32)
    extremes[:, 0, 1] = 255
    assert edges(extremes)[0][0] == pytest.approx(441.67, abs=0.01)


def test_edges_are_sorted_by_weight_and_ties_keep_their_order() -> None:
    planes = np.random.default_rng(0).integers(0, 4, (1, 20, 30)).astype(np.float32)
    rows = weigh_edges(planes)
    ordered, _ = sort_edges(rows, 20, 30)
    names = [
        4 * (y * 30 + x) + direction
        for y in range(20)
        for direction, (down, across) in enumerate(((0, 1), (1, 0), (1, 1), (-1, 1)))
        if 0 <= y + down < 20
        for x in range(30 - across)
    ]
    assert ordered.tolist() == np.array(names)[np.argsort(rows, kind="stable")].tolist()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_narrow_images(shape: tuple[int, int]) -> None:
    labels = regions(np.zeros((3, *shape), np.float32), 10.0, 1)
    assert labels.tolist() == np.zeros(shape).tolist()


def test_two_flat_halves_are_two_regions() -> None:
    planes = np.zeros((3, 8, 10), np.float32)
    planes[:, :, 4:] = 50
    labels = regions(planes, 100.0, 1)
    assert (labels[:, :4] == 0).all()
    assert (labels[:, 4:] == 1).all()


def test_the_scale_sets_the_largest_step_inside_a_region() -> None:
    """Two regions of four pixels each are merged if their edge is below scale / 4 (equation 4)."""
    row = planes_of([[0, 0, 0, 0, 10, 10, 10, 10]])
    assert regions(row, 39.0, 1).max() == 1
    assert regions(row, 41.0, 1).max() == 0


def test_small_regions_are_merged_across_their_lightest_edge() -> None:
    row = planes_of([[0, 0, 0, 90, 200, 200, 200]])
    assert regions(row, 1.0, 1).tolist() == [[0, 0, 0, 1, 2, 2, 2]]
    assert regions(row, 1.0, 2).tolist() == [[0, 0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("scale", "smallest"), [(5, 1), (60, 1), (60, 12), (400, 30)])
def test_regions_equal_the_papers_algorithm(seed: int, scale: int, smallest: int) -> None:
    """Several batches of edges, many equal weights, slopes and steps."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:17, :23]
    planes = np.stack([x * 2 + 40 * (y > 8), 5 * y + 60 * (x > 11), rng.integers(0, 30, (17, 23))])
    planes = (planes // (1 + seed % 3)).astype(np.float32)
    assert (regions(planes, float(scale), smallest) == by_the_paper(planes, float(scale), smallest)).all()

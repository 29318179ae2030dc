from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.kernels.grouping_loops import (
    Regions,
    Weights,
    adjacent_regions,
    describe_regions,
    group_regions,
)

LABELS = np.array([[0, 0, 1], [0, 0, 1], [2, 2, 1]], np.int32)


def described(labels: NDArray[np.int32]) -> Regions:
    """One colour feature of 4 bins and one texture feature of 2: the bins say where a pixel is."""
    colour = (np.arange(labels.size) % 4).astype(np.uint8).reshape(*labels.shape, 1)
    texture = np.zeros((*labels.shape, 1), np.uint8)
    return describe_regions(labels, int(labels.max()) + 1, colour, texture, (4, 2))


def test_sizes_boxes_and_histograms() -> None:
    regions = described(LABELS)
    assert regions.sizes.tolist() == [4, 3, 2]
    assert regions.boxes.tolist() == [[0, 0, 2, 2], [2, 0, 3, 3], [0, 2, 2, 3]]
    # region 0 holds the pixels 0, 1, 3, 4 -> bins 0, 1, 3, 0
    np.testing.assert_allclose(regions.colours[0], [0.5, 0.25, 0, 0.25])
    np.testing.assert_allclose(regions.colours.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(regions.textures, [[1, 0]] * 3)


def test_neighbours_touch_by_pixels_and_not_by_boxes() -> None:
    ring = np.zeros((5, 5), np.int32)
    ring[1:4, 1:4] = 1
    ring[2, 2] = 2  # inside the box of 0, but 1 lies between
    assert adjacent_regions(ring, 3).tolist() == [[0, 1], [1, 2]]
    assert adjacent_regions(np.array([[0, 1], [2, 3]], np.int32), 4).tolist() == [
        [0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]
    ]  # fmt: skip


def brute_force(regions: Regions, pairs: NDArray[np.int32], weights: Weights, area: float) -> list[list[int]]:
    """Algorithm 1, word by word: all similarities anew at every step, in Python."""
    sizes, boxes = regions.sizes.tolist(), regions.boxes.tolist()
    colours, textures = list(regions.colours.astype(float)), list(regions.textures.astype(float))
    neighbours = {tuple(pair) for pair in pairs.tolist()}

    def similarity(a: int, b: int) -> float:
        left, top = np.minimum(boxes[a][:2], boxes[b][:2])
        right, bottom = np.maximum(boxes[a][2:], boxes[b][2:])
        filled = 1 - ((right - left) * (bottom - top) - sizes[a] - sizes[b]) / area
        parts = (
            np.minimum(colours[a], colours[b]).sum(),
            np.minimum(textures[a], textures[b]).sum(),
            1 - (sizes[a] + sizes[b]) / area,
            filled,
        )
        return float(np.dot(weights, parts))

    merges = []
    while neighbours:
        a, b = max(sorted(neighbours), key=lambda pair: similarity(*pair))
        merges.append([a, b])
        new, size = len(sizes), sizes[a] + sizes[b]
        boxes.append([*np.minimum(boxes[a][:2], boxes[b][:2]), *np.maximum(boxes[a][2:], boxes[b][2:])])
        for histograms in (colours, textures):
            histograms.append((sizes[a] * histograms[a] + sizes[b] * histograms[b]) / size)
        sizes.append(size)
        moved = {tuple(new if r in (a, b) else r for r in pair) for pair in neighbours}
        neighbours = {tuple(sorted(pair)) for pair in moved if pair[0] != pair[1]}
    return merges


@pytest.mark.parametrize("weights", [Weights(1, 1, 1, 1), Weights(0, 1, 1, 1), Weights(0, 0, 0, 1)])
def test_grouping_is_algorithm_1(weights: Weights) -> None:
    rng = np.random.default_rng(1)
    seeds = rng.random((14, 2)) * 24
    y, x = np.mgrid[:24, :24]
    distance = (y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2
    labels = np.unique(distance.argmin(-1), return_inverse=True)[1].reshape(24, 24).astype(np.int32)
    colour, texture = (rng.integers(0, 6, (24, 24, 3)).astype(np.uint8) for _ in range(2))
    count = int(labels.max()) + 1
    regions, pairs = describe_regions(labels, count, colour, texture, (6, 6)), adjacent_regions(labels, count)
    boxes, merges = group_regions(regions, pairs, weights, float(labels.size))
    assert np.sort(merges, axis=1).tolist() == [
        sorted(pair) for pair in brute_force(regions, pairs, weights, 576.0)
    ]
    assert boxes[-1].tolist() == [0, 0, 24, 24]


def test_one_region_has_nothing_to_merge() -> None:
    labels = np.zeros((4, 6), np.int32)
    boxes, merges = group_regions(described(labels), adjacent_regions(labels, 1), Weights(1, 1, 1, 1), 24.0)
    assert boxes.tolist() == [[0, 0, 6, 4]]
    assert len(merges) == 0

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from boxmask.kernels.selective_search.grouping import SimilarityWeights, group_regions, histogram_similarities
from boxmask.kernels.selective_search.regions import Regions, adjacent_regions, describe_regions

LABELS = np.array([[0, 0, 1], [0, 0, 1], [2, 2, 1]], np.int32)
BINS = (4, 3)  # per color channel and per texture direction


def coded(color: NDArray[np.int_], responses: NDArray[np.int_]) -> NDArray[np.uint16]:
    """Return the codes of one channel from color bins (H, W) and signed texture bins (H, 4, W) per axis."""
    signed = 2 * BINS[1] - 1
    first = BINS[0] + signed * np.arange(4)[:, None] + BINS[1] - 1
    return np.concatenate([color[:, None], first + responses], axis=1).astype(np.uint16)


def described(labels: NDArray[np.int32]) -> Regions:
    """Describe regions whose color bins depend on the position of a pixel, without texture."""
    height, width = labels.shape
    color = (np.arange(labels.size) % 4).reshape(labels.shape)
    codes = coded(color, np.zeros((height, 4, width), np.int64))
    return describe_regions(labels, int(labels.max()) + 1, codes, BINS)


def test_sizes_boxes_and_histograms() -> None:
    regions = described(LABELS)
    assert regions.sizes.tolist() == [4, 3, 2]
    assert regions.boxes.tolist() == [[0, 0, 2, 2], [2, 0, 3, 3], [0, 2, 2, 3]]
    assert regions.colors[0].tolist() == [2, 1, 0, 1]  # pixels 0, 1, 3, 4 -> bins 0, 1, 3, 0
    assert regions.colors.sum(axis=1).tolist() == regions.sizes.tolist()
    assert regions.textures.tolist() == [[size, 0, 0] * 8 for size in regions.sizes]


def test_a_forward_response_counts_as_none_backward() -> None:
    responses = np.array([[[2, -1], [0, 0], [0, 0], [1, 1]]])  # two pixels, along four axes
    codes = coded(np.zeros((1, 2), np.int64), responses)
    textures = describe_regions(np.zeros((1, 2), np.int32), 1, codes, BINS).textures[0].reshape(4, 2, 3)
    assert textures[0].tolist() == [[1, 0, 1], [1, 1, 0]]
    assert textures[1].tolist() == textures[2].tolist() == [[2, 0, 0], [2, 0, 0]]
    assert textures[3].tolist() == [[0, 2, 0], [2, 0, 0]]


def test_histogram_similarity_is_the_intersection() -> None:
    regions, pairs = described(LABELS), np.array([[0, 1], [1, 2]], np.int32)
    # colors: 2 1 0 1 of 4, 1 1 1 0 of 3 (pixels 2, 5, 8 -> bins 2, 1, 0), 0 0 1 1 of 2 (pixels 6, 7)
    expected = [[1 / 3 + 1 / 4, 1], [1 / 3, 1]]
    np.testing.assert_allclose(histogram_similarities(regions, pairs), expected, rtol=1e-12)


def test_neighbors_touch_by_pixels_not_by_boxes() -> None:
    ring = np.zeros((5, 5), np.int32)
    ring[1:4, 1:4] = 1
    ring[2, 2] = 2  # inside the box of 0, but separated from it by 1
    assert adjacent_regions(ring, 3).tolist() == [[0, 1], [1, 2]]
    assert adjacent_regions(np.array([[0, 1], [2, 3]], np.int32), 4).tolist() == [
        [0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]
    ]  # fmt: skip


def brute_force(
    regions: Regions, pairs: NDArray[np.int32], weights: SimilarityWeights, area: float
) -> list[list[int]]:
    """Compute algorithm 1 literally, in Python: all similarities are computed again at every step."""
    sizes, boxes = regions.sizes.tolist(), regions.boxes.tolist()
    colors, textures = (
        list(counts / counts.sum(axis=1, keepdims=True)) for counts in (regions.colors, regions.textures)
    )
    neighbors = {tuple(pair) for pair in pairs.tolist()}

    def similarity(a: int, b: int) -> float:
        left, top = np.minimum(boxes[a][:2], boxes[b][:2])
        right, bottom = np.maximum(boxes[a][2:], boxes[b][2:])
        filled = 1 - ((right - left) * (bottom - top) - sizes[a] - sizes[b]) / area
        parts = (
            np.minimum(colors[a], colors[b]).sum(),
            np.minimum(textures[a], textures[b]).sum(),
            1 - (sizes[a] + sizes[b]) / area,
            filled,
        )
        return float(np.dot(weights, parts))

    merges = []
    while neighbors:
        a, b = max(sorted(neighbors), key=lambda pair: similarity(*pair))
        merges.append([a, b])
        new, size = len(sizes), sizes[a] + sizes[b]
        boxes.append([*np.minimum(boxes[a][:2], boxes[b][:2]), *np.maximum(boxes[a][2:], boxes[b][2:])])
        for histograms in (colors, textures):
            histograms.append((sizes[a] * histograms[a] + sizes[b] * histograms[b]) / size)
        sizes.append(size)
        moved = {tuple(new if r in (a, b) else r for r in pair) for pair in neighbors}
        neighbors = {tuple(sorted(pair)) for pair in moved if pair[0] != pair[1]}
    return merges


@pytest.mark.parametrize(
    "weights", [SimilarityWeights(1, 1, 1, 1), SimilarityWeights(0, 1, 1, 1), SimilarityWeights(0, 0, 0, 1)]
)
def test_grouping_equals_algorithm_1(weights: SimilarityWeights) -> None:
    rng = np.random.default_rng(1)
    seeds = rng.random((14, 2)) * 24
    y, x = np.mgrid[:24, :24]
    distance = (y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2
    labels = np.unique(distance.argmin(-1), return_inverse=True)[1].reshape(24, 24).astype(np.int32)
    codes = coded(rng.integers(0, 4, (24, 24)), rng.integers(-2, 3, (24, 4, 24)))
    count = int(labels.max()) + 1
    regions, pairs = describe_regions(labels, count, codes, BINS), adjacent_regions(labels, count)
    parts = histogram_similarities(regions, pairs)
    boxes, merges = group_regions(regions, pairs, parts, weights, float(labels.size))
    assert np.sort(merges, axis=1).tolist() == [
        sorted(pair) for pair in brute_force(regions, pairs, weights, 576.0)
    ]
    assert boxes[-1].tolist() == [0, 0, 24, 24]


def test_one_region_has_nothing_to_merge() -> None:
    labels = np.zeros((4, 6), np.int32)
    regions, pairs = described(labels), adjacent_regions(labels, 1)
    boxes, merges = group_regions(
        regions,
        pairs,
        histogram_similarities(regions, pairs),
        SimilarityWeights(1, 1, 1, 1),
        float(labels.size),
    )
    assert boxes.tolist() == [[0, 0, 6, 4]]
    assert len(merges) == 0

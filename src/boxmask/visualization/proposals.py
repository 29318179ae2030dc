"""Draw the regions that Selective Search groups."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from boxmask.pipeline.selective_search.search import (
    Hierarchy,
    SelectiveSearchConfig,
    hierarchies,
    resize_for_search,
)
from boxmask.visualization.style import RGBImage

REGION_COUNTS = (64, 16, 4)  # stages of the grouping that are drawn, by the number of regions that remain


def draw_hierarchy(photo: RGBImage, config: SelectiveSearchConfig) -> dict[str, RGBImage]:
    """Draw the grouping of the first strategy, from its first regions to REGION_COUNTS; pictures by caption.

    The pictures have the size at which the photo is searched. Every region has its mean color.
    """
    picture = resize_for_search(photo, config)
    first = hierarchies(picture, config)[0]
    counts = [int(first.labels.max()) + 1, *REGION_COUNTS]
    return {
        f"{first.strategy}: {count} regions": fill_with_mean_colors(picture, regions_at(first, count))
        for count in counts
    }


def regions_at(hierarchy: Hierarchy, count: int) -> Int[np.ndarray, "H W"]:
    """The region of each pixel when `count` regions remain."""
    num_regions = int(hierarchy.labels.max()) + 1
    parents = np.arange(num_regions + len(hierarchy.merges))
    for number, pair in enumerate(hierarchy.merges[: max(0, num_regions - count)]):
        parents[pair] = num_regions + number
    for region in reversed(range(len(parents))):  # a merged region comes after its parts
        parents[region] = parents[parents[region]]
    return np.asarray(parents[hierarchy.labels], dtype=np.int32)


def fill_with_mean_colors(picture: RGBImage, regions: Int[np.ndarray, "H W"]) -> RGBImage:
    """Fill every region with the mean color of its pixels."""
    _, region_of, num_pixels = np.unique(regions, return_inverse=True, return_counts=True)
    region_of = region_of.reshape(-1)
    means = [np.bincount(region_of, picture[..., channel].reshape(-1)) / num_pixels for channel in range(3)]
    return np.stack(means, axis=1)[region_of].reshape(picture.shape).round().astype(np.uint8)

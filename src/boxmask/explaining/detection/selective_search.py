"""The proposals of R-CNN and Fast R-CNN: how Selective Search groups regions, and the boxes around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import sheet
from boxmask.explaining.photo_view import PhotoView
from boxmask.messages import format_count
from boxmask.pipeline.selective_search.hierarchies import hierarchies
from boxmask.pipeline.selective_search.modes import SelectiveSearchConfig
from boxmask.pipeline.selective_search.search import Hierarchy, resize_for_search
from boxmask.visualization.legend import append_legend
from boxmask.visualization.proposals import REGION_COUNTS, fill_with_mean_colors, regions_at
from boxmask.visualization.style import PALETTE, RGBImage

SIZE_LIMITS = (0.01, 0.1)  # fractions of the photo's area: small below, large from there on
SIZE_COLORS = (1, 0, 2)  # numbers in the palette: orange, blue, green
MAX_PER_SIZE = 20  # more boxes would hide the photo


def regions_stage(view: PhotoView, config: SelectiveSearchConfig) -> Stage:
    """The regions of the first strategy while they merge."""
    picture = resize_for_search(view.pixels, config)
    found = hierarchies(picture, config)
    first = found[0]
    num_regions = int(first.labels.max()) + 1
    counts = [num_regions, *(count for count in REGION_COUNTS if count < num_regions)]
    maps = {count: regions_at(first, count) for count in counts}
    pictures = {
        f"{count} regions": view.fit(fill_with_mean_colors(picture, regions))
        for count, regions in maps.items()
    }
    text = (
        f"Selective Search divides the photo into {num_regions} regions of similar color. Then it merges "
        "the two neighbors that are most alike in color, texture, size and fit, again and again, until one "
        f"region is left. It does so {format_count(config.strategies, 'time')}, with other color spaces, "
        f"measures of likeness and first regions; the pictures show the first strategy ({first.strategy})."
    )
    data = {
        "steps": merging_steps(picture, first),
        "strategy": first.strategy,
        "strategies": [hierarchy.strategy for hierarchy in found],
        "regions": first.labels,
        "merges": first.merges,
        "search_size": picture.shape[:2],
    }
    return Stage("regions", "Regions merge", text, sheet(pictures), data)


def merging_steps(picture: RGBImage, hierarchy: Hierarchy) -> list[dict[str, Any]]:
    """Pictures of the regions that remain, from the first regions to two; each step halves their number."""
    count, steps = int(hierarchy.labels.max()) + 1, []
    while count > 1:
        drawn = fill_with_mean_colors(picture, regions_at(hierarchy, count))
        steps.append({"count": count, "picture": drawn})
        count //= 2
    return steps


def proposals_stage(view: PhotoView, boxes: Float[np.ndarray, "P 4"]) -> Stage:
    """The boxes around the regions, by size."""
    sides = boxes[:, 2:] - boxes[:, :2]
    shares = sides.prod(axis=1) / (view.size[0] * view.size[1])
    group = np.digitize(shares, SIZE_LIMITS)
    names = ("under 1 % of the photo", "1 to 10 %", "over 10 %")
    picture, entries = view.picture, []
    for size, name in enumerate(names):
        rows = np.flatnonzero(group == size)
        shown = rows[:MAX_PER_SIZE]
        picture = view.draw(boxes[shown], [SIZE_COLORS[size]] * len(shown), on=picture)
        entries.append((f"{name}: {len(rows):,}", PALETTE[SIZE_COLORS[size]]))
    text = (
        f"The boxes around all regions of all strategies are the proposals: {len(boxes):,} boxes that may "
        f"hold an object, the most promising first. The picture shows up to {MAX_PER_SIZE} of each size."
    )
    data = {"boxes": boxes, "area_shares": shares}
    return Stage("proposals", "Proposals", text, append_legend(picture, entries), data)

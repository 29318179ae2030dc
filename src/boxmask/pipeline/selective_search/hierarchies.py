"""The groupings that Selective Search makes of a picture: a hierarchy of regions for each strategy.

    picture -> planes of a color space -> edges -> first regions (Felzenszwalb & Huttenlocher)
                                        -> bins of color and texture -> regions described -> grouped

What strategies have in common is made once: planes, edges and bins for each color space; first regions,
their histograms and the similarity of neighbors for each scale. The rest runs side by side on the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxmask.kernels.selective_search.color import to_hsv, to_lab, to_rgi
from boxmask.kernels.selective_search.grouping import SimilarityWeights, group_regions, histogram_similarities
from boxmask.kernels.selective_search.regions import adjacent_regions, describe_regions
from boxmask.kernels.selective_search.segmentation import merge_regions, sort_edges, weigh_edges
from boxmask.kernels.selective_search.texture import bin_pixels, smooth
from boxmask.kernels.threads import parallel_for
from boxmask.pipeline.selective_search.modes import ColorSpace, SelectiveSearchConfig

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Edges = NDArray[np.uint32]


@dataclass(frozen=True)
class Hierarchy:
    """What one strategy found.

    labels: (H, W) first region of each pixel of the searched picture, 0..R-1
    boxes:  (R + M, 4) xyxy in its pixels, first regions and then merges, the last being the largest
    merges: (M, 2) which two regions became region R + m
    """

    strategy: str
    labels: Labels
    boxes: NDArray[np.int32]
    merges: NDArray[np.int32]


def hierarchies(picture: Bytes, config: SelectiveSearchConfig) -> list[Hierarchy]:
    """What every strategy finds in a picture (H, W, 3), at the size that it has."""
    spaces = config.color_spaces
    planes = dict(zip(spaces, _each(spaces, lambda space: in_color_space(picture, space)), strict=True))
    views = list(product(spaces, (edges_of, bins_of)))
    made = dict(zip(views, _each(views, lambda view: view[1](planes[view[0]], config)), strict=True))
    cuts = list(product(spaces, config.scales))

    def grouped(cut: tuple[ColorSpace, int]) -> list[Hierarchy]:
        space, scale = cut
        edges: tuple[Edges, Edges] = made[space, edges_of]
        labels = merge_regions(*edges, picture.shape[:2], float(scale), scale)
        return group(labels, made[space, bins_of], f"{space} {{}} k={scale}", config)

    return [one for several in _each(cuts, grouped) for one in several]


def _each(tasks: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
    """Results in order; the tasks run side by side."""
    results: list[Any] = [None] * len(tasks)

    def run(index: int) -> None:
        results[index] = work(tasks[index])

    parallel_for(run, range(len(tasks)))
    return results


# ---------------------------------------------------------------- a picture in one color space


def in_color_space(picture: Bytes, space: ColorSpace) -> Floats:
    """(H, W, 3) uint8 -> (C, H, W) float32, every channel in 0..255."""
    planes = np.empty((3, *picture.shape[:2]), np.float32)
    if space in ("hsv", "h"):
        to_hsv(picture, planes)
    elif space == "lab":
        to_lab(picture, planes)
    else:
        to_rgi(picture, planes)
    single = {"h": slice(0, 1), "i": slice(2, 3)}
    return planes[single.get(space, slice(None))]


def edges_of(planes: Floats, config: SelectiveSearchConfig) -> tuple[Edges, Edges]:
    """The edges of the smoothed picture, from light to heavy; where each weight begins."""
    smoothed, bell = np.empty_like(planes), gaussian(config.sigma)
    smooth(planes, bell, bell, smoothed)
    edges: tuple[Edges, Edges] = sort_edges(weigh_edges(smoothed), *planes.shape[1:])
    return edges


def bins_of(planes: Floats, config: SelectiveSearchConfig) -> NDArray[np.uint16]:
    """(H, 5 C, W): where every pixel counts in the histograms of its region."""
    across, down = np.empty_like(planes), np.empty_like(planes)
    bell, slope = gaussian(config.texture_sigma), slope_of_gaussian(config.texture_sigma)
    smooth(planes, bell, slope, across)
    smooth(planes, slope, bell, down)
    codes = np.empty((planes.shape[1], 5 * len(planes), planes.shape[2]), np.uint16)
    bin_pixels(planes, across, down, (config.color_bins, config.texture_bins), codes)
    return codes


def gaussian(sigma: float) -> Floats:
    """Weights of sum 1, out to four sigma."""
    reach = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
    bell = np.exp(-0.5 * (reach / sigma) ** 2)
    weights: Floats = (bell / bell.sum()).astype(np.float32)
    return weights


def slope_of_gaussian(sigma: float) -> Floats:
    """Weights that measure how fast smoothed values rise."""
    bell = gaussian(sigma)
    reach = np.arange(len(bell)) - len(bell) // 2
    weights: Floats = (bell * reach / sigma**2).astype(np.float32)
    return weights


# ---------------------------------------------------------------- its regions


def segment(picture: Bytes, space: ColorSpace, scale: int, config: SelectiveSearchConfig) -> Labels:
    """The first regions of a picture, (H, W)."""
    edges = edges_of(in_color_space(picture, space), config)
    labels: Labels = merge_regions(*edges, picture.shape[:2], float(scale), scale)
    return labels


def group(
    labels: Labels, codes: NDArray[np.uint16], name: str, config: SelectiveSearchConfig
) -> list[Hierarchy]:
    """A hierarchy for each set of similarities, all from the same first regions."""
    count = int(labels.max()) + 1
    regions = describe_regions(labels, count, codes, (config.color_bins, config.texture_bins))
    pairs = adjacent_regions(labels, count)
    parts, area = histogram_similarities(regions, pairs), float(labels.size)
    found = []
    for similarity in config.similarities:
        weights = SimilarityWeights(*(float(letter in similarity) for letter in "CTSF"))
        boxes, merges = group_regions(regions, pairs, parts, weights, area)
        found.append(Hierarchy(name.format(similarity), labels, boxes, merges))
    return found

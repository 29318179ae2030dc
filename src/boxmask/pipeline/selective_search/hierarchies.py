"""The hierarchies of regions that Selective Search builds from a picture, one per strategy.

    picture -> planes of a color space -> edges -> first regions (Felzenszwalb & Huttenlocher)
                                        -> bins of color and texture -> histograms of regions -> grouping

What strategies share is computed once: planes, edges and bins per color space; first regions, their
histograms and the similarity of neighbors per scale. Independent steps run in parallel.
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
    """The regions of one strategy: R first regions and M merges.

    labels: (H, W) first region of each pixel of the picture, 0..R-1
    boxes:  (R + M, 4) xyxy in pixels of the picture, first regions, then merges; the last is the largest
    merges: (M, 2) the two regions that became region R + m
    """

    strategy: str
    labels: Labels
    boxes: NDArray[np.int32]
    merges: NDArray[np.int32]


def hierarchies(picture: Bytes, config: SelectiveSearchConfig) -> list[Hierarchy]:
    """The hierarchy of every strategy in a picture (H, W, 3), at its own size."""
    spaces = config.color_spaces
    planes = dict(zip(spaces, _map(spaces, lambda space: in_color_space(picture, space)), strict=True))
    steps = list(product(spaces, (edges_of, bins_of)))
    computed = dict(zip(steps, _map(steps, lambda step: step[1](planes[step[0]], config)), strict=True))

    def grouped(task: tuple[ColorSpace, int]) -> list[Hierarchy]:
        space, scale = task
        edges: tuple[Edges, Edges] = computed[space, edges_of]
        labels = merge_regions(*edges, picture.shape[:2], float(scale), scale)
        return group(labels, computed[space, bins_of], f"{space} {{}} k={scale}", config)

    per_scale = _map(list(product(spaces, config.scales)), grouped)
    return [hierarchy for group_of_scale in per_scale for hierarchy in group_of_scale]


def _map(tasks: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
    """Run tasks in parallel; results in the order of the tasks."""
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
    """The edges of the smoothed picture by increasing weight, and the index where each weight starts."""
    smoothed, bell = np.empty_like(planes), gaussian(config.sigma)
    smooth(planes, bell, bell, smoothed)
    edges: tuple[Edges, Edges] = sort_edges(weigh_edges(smoothed), *planes.shape[1:])
    return edges


def bins_of(planes: Floats, config: SelectiveSearchConfig) -> NDArray[np.uint16]:
    """(H, 5 C, W): the bins of every pixel in the color and texture histograms of its region."""
    across, down = np.empty_like(planes), np.empty_like(planes)
    bell, derivative = gaussian(config.texture_sigma), gaussian_derivative(config.texture_sigma)
    smooth(planes, bell, derivative, across)
    smooth(planes, derivative, bell, down)
    codes = np.empty((planes.shape[1], 5 * len(planes), planes.shape[2]), np.uint16)
    bin_pixels(planes, across, down, (config.color_bins, config.texture_bins), codes)
    return codes


def gaussian(sigma: float) -> Floats:
    """Weights of a Gaussian out to four sigma, with sum 1."""
    reach = np.arange(-int(4 * sigma + 0.5), int(4 * sigma + 0.5) + 1)
    bell = np.exp(-0.5 * (reach / sigma) ** 2)
    weights: Floats = (bell / bell.sum()).astype(np.float32)
    return weights


def gaussian_derivative(sigma: float) -> Floats:
    """Weights of the derivative of a Gaussian."""
    bell = gaussian(sigma)
    reach = np.arange(len(bell)) - len(bell) // 2
    weights: Floats = (bell * reach / sigma**2).astype(np.float32)
    return weights


# ---------------------------------------------------------------- regions


def segment(picture: Bytes, space: ColorSpace, scale: int, config: SelectiveSearchConfig) -> Labels:
    """The first regions of a picture, (H, W)."""
    edges = edges_of(in_color_space(picture, space), config)
    labels: Labels = merge_regions(*edges, picture.shape[:2], float(scale), scale)
    return labels


def group(
    labels: Labels, codes: NDArray[np.uint16], name: str, config: SelectiveSearchConfig
) -> list[Hierarchy]:
    """One hierarchy per set of similarities, all from the same first regions."""
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

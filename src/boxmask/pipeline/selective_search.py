"""Selective Search: where objects may be, from the picture alone.

Uijlings, van de Sande, Gevers, Smeulders, "Selective Search for Object Recognition", IJCV 2013
(doi:10.1007/s11263-013-0620-5).

    photo -> colour space -> regions (Felzenszwalb & Huttenlocher) -> grouped by similarity -> boxes

A strategy is a colour space, a scale of the first segmentation and a set of similarities; the strategies'
boxes are put in one order and freed of duplicates (section 3.4). Strategies share what they have in common
and run side by side on the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.kernels.colour_loops import colour_bins, texture_bins, to_hsv, to_lab, to_rgi
from boxmask.kernels.grouping_loops import Weights, adjacent_regions, describe_regions, group_regions
from boxmask.kernels.segmentation_loops import count_edges, join_regions, sort_edges, weigh_edges
from boxmask.kernels.threads import share_out

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
ColourSpace = Literal["hsv", "lab", "rgi", "h", "i"]
Mode = Literal["single", "fast", "quality"]


@dataclass(frozen=True)
class SelectiveSearchConfig:
    """Every number of the method; section and table of the paper beside it.

    similarities: sets of C (colour), T (texture), S (size) and F (fill)
    limit:        how many boxes are kept, the first in order; None: all
    """

    colour_spaces: tuple[ColourSpace, ...] = ("hsv", "lab")
    similarities: tuple[str, ...] = ("CTSF", "TSF")
    scales: tuple[int, ...] = (50, 100)  # k; regions below k pixels are joined too
    sigma: float = 0.8  # section 5.1
    colour_bins: int = 25  # section 3.2
    texture_bins: int = 10  # section 3.2, of each of 8 orientations
    texture_sigma: float = 1.0  # section 3.2
    width: int = 500  # photos are searched at this width, as in R-CNN, section 2.2
    tallest: int = 1500  # unless that makes them higher than this
    smallest_side: int = 20  # pixels at that width; the authors' code drops boxes below it
    limit: int | None = None
    seed: int = 0

    @property
    def strategies(self) -> int:
        """How many groupings are made."""
        return len(self.colour_spaces) * len(self.similarities) * len(self.scales)


MODES: dict[Mode, SelectiveSearchConfig] = {  # table 6 of the paper
    "single": SelectiveSearchConfig(("hsv",), ("CTSF",), (100,)),
    "fast": SelectiveSearchConfig(),
    "quality": SelectiveSearchConfig(
        ("hsv", "lab", "rgi", "h", "i"), ("CTSF", "TSF", "F", "S"), (50, 100, 150, 300)
    ),
}


@dataclass(frozen=True)
class Hierarchy:
    """What one strategy found.

    labels: (H, W) first region of each pixel of the searched picture, 0..R-1
    boxes:  (R + M, 4) xyxy in its pixels, first regions and then merges, the last being the largest
    merges: (M, 2) which two regions became region R + m
    """

    strategy: str
    labels: NDArray[np.int32]
    boxes: NDArray[np.int32]
    merges: NDArray[np.int32]


def selective_search(photo: Bytes, config: SelectiveSearchConfig | None = None) -> Tensor:
    """Boxes of a photo (H, W, 3), uint8: (N, 4) float32 xyxy in its own pixels, likeliest objects first.

    The same photo, numbers and seed give the same boxes, with any number of threads. A photo of one colour
    is one region: its box is the whole photo.
    """
    config = config or MODES["fast"]
    picture = searched(photo, config)
    found = hierarchies(picture, config)
    boxes = ordered([one.boxes for one in found], config.seed)
    sides = boxes[:, 2:] - boxes[:, :2]
    least = min(config.smallest_side, *picture.shape[:2])
    boxes = boxes[(sides >= least).all(axis=1)][: config.limit]
    stretch = [photo.shape[1] / picture.shape[1], photo.shape[0] / picture.shape[0]] * 2
    return torch.from_numpy(boxes.astype(np.float32) * np.array(stretch, np.float32))


def searched(photo: Bytes, config: SelectiveSearchConfig) -> Bytes:
    """The photo at the size at which it is searched."""
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise UsageError(f"a photo is (H, W, 3) uint8; found {photo.shape} {photo.dtype}")
    height, width = photo.shape[:2]
    scale = min(config.width / width, config.tallest / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return np.ascontiguousarray(photo)
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(photo).resize(size, how))


def ordered(per_strategy: Sequence[NDArray[np.int32]], seed: int) -> NDArray[np.int32]:
    """All strategies' boxes once each, in the order of section 3.4.

    Box i of a hierarchy, counted from the top, gets i times a random number in 0..1; the lowest come first.
    """
    generator = np.random.default_rng(seed)
    ranks = [np.arange(len(boxes), 0, -1) * generator.random(len(boxes)) for boxes in per_strategy]
    boxes = np.concatenate(per_strategy)[np.argsort(np.concatenate(ranks), kind="stable")]
    _, first = np.unique(boxes, axis=0, return_index=True)
    return boxes[np.sort(first)]


def hierarchies(picture: Bytes, config: SelectiveSearchConfig) -> list[Hierarchy]:
    """What every strategy finds in a picture (H, W, 3), at the size that it has."""
    views: dict[str, View] = {}
    for space, view in zip(
        config.colour_spaces, _each(config.colour_spaces, lambda s: View(picture, s, config)), strict=True
    ):
        views[space] = view
    cuts = list(product(config.colour_spaces, config.scales))
    nested = _each(cuts, lambda cut: _grouped(views[cut[0]], cut[1], config))
    return [one for several in nested for one in several]


def _each(tasks: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
    """Results in order; the tasks run side by side."""
    results: list[Any] = [None] * len(tasks)

    def run(index: int) -> None:
        results[index] = work(tasks[index])

    share_out(run, range(len(tasks)))
    return results


class View:
    """A picture in one colour space: its edges from light to heavy, and the bins of every pixel."""

    def __init__(self, picture: Bytes, space: ColourSpace, config: SelectiveSearchConfig) -> None:
        self.space, self.shape = space, picture.shape[:2]
        image = in_colour_space(picture, space)
        count = count_edges(*self.shape)
        self.weights, self.ends = np.empty(count), np.empty((count, 2), np.int32)
        weigh_edges(gaussian_filter(image, (config.sigma, config.sigma, 0)), self.weights, self.ends)
        self.order = sort_edges(self.weights)
        self.colour = np.empty(image.shape, np.uint8)
        colour_bins(image, config.colour_bins, self.colour)
        spread = (config.texture_sigma, config.texture_sigma, 0)
        across, down = (gaussian_filter(image, spread, order) for order in ((0, 1, 0), (1, 0, 0)))
        self.texture = np.empty((*self.shape, 8 * image.shape[2]), np.uint8)
        texture_bins(across, down, config.texture_bins, self.texture)


def in_colour_space(picture: Bytes, space: ColourSpace) -> Floats:
    """(H, W, 3) uint8 -> (H, W, C) float32, every channel in 0..255."""
    out = np.empty(picture.shape, np.float32)
    if space in ("hsv", "h"):
        to_hsv(picture, out)
    elif space == "lab":
        to_lab(picture, out)
    else:
        to_rgi(picture, out)
    single = {"h": slice(0, 1), "i": slice(2, 3)}
    return np.ascontiguousarray(out[:, :, single.get(space, slice(None))])


def segment(
    picture: Bytes, space: ColourSpace, scale: int, config: SelectiveSearchConfig
) -> NDArray[np.int32]:
    """The first regions of a picture, (H, W)."""
    return _cut(View(picture, space, config), scale)


def _cut(view: View, scale: int) -> NDArray[np.int32]:
    height, width = view.shape
    flat = join_regions(view.weights, view.ends, view.order, height * width, float(scale), scale)
    labels: NDArray[np.int32] = flat.reshape(height, width)
    return labels


def _grouped(view: View, scale: int, config: SelectiveSearchConfig) -> list[Hierarchy]:
    labels = _cut(view, scale)
    count = int(labels.max()) + 1
    bins = (config.colour_bins, config.texture_bins)
    regions = describe_regions(labels, count, view.colour, view.texture, bins)
    pairs, area = adjacent_regions(labels, count), float(labels.size)
    found = []
    for similarity in config.similarities:
        weights = Weights(*(float(letter in similarity) for letter in "CTSF"))
        boxes, merges = group_regions(regions, pairs, weights, area)
        found.append(Hierarchy(f"{view.space} {similarity} k={scale}", labels, boxes, merges))
    return found

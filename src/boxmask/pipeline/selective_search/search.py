"""Selective Search: boxes that may hold objects, from the photo alone.

Uijlings, van de Sande, Gevers, Smeulders, "Selective Search for Object Recognition", IJCV 2013
(doi:10.1007/s11263-013-0620-5).

    photo -> color space -> regions (Felzenszwalb & Huttenlocher) -> grouped by similarity -> boxes

A strategy is a color space, a scale of the first segmentation and a set of similarities. The boxes of all
strategies are put in one order, without duplicates (section 3.4). `MODES` says where the defaults differ from
the paper; `PAPER_MODES` has the paper's settings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from boxmask.errors import PhotoError, UsageError
from boxmask.kernels.selective_search.near_duplicates import drop_near_duplicates
from boxmask.photos.read import Photo, to_image
from boxmask.photos.rgb_tensors import to_uint8_array
from boxmask.pipeline.selective_search.hierarchies import Hierarchy, hierarchies
from boxmask.pipeline.selective_search.modes import MODES, PAPER_MODES, Mode, SelectiveSearchConfig

__all__ = [
    "MODES",
    "PAPER_MODES",
    "Hierarchy",
    "Mode",
    "SelectiveSearchConfig",
    "hierarchies",
    "resize_for_search",
    "selective_search",
]

Bytes = NDArray[np.uint8]
Boxes = NDArray[np.int32]


def selective_search(
    photo: Photo,
    config: SelectiveSearchConfig | None = None,
    *,
    mode: Mode = "fast",
    seed: int | None = None,
) -> Tensor:
    """Boxes of a photo: (N, 4) float32 xyxy in pixels of the photo, most promising first.

    The same photo, settings and seed give the same boxes with any number of threads. A photo of one color has
    one region and gives one box, the whole photo.

    photo:  a path, PIL image, array or tensor, as in `to_image`
    config: settings to use instead of those of the mode
    seed:   random seed of the order; default: the config's, which is 0

    Raises PhotoError, and UsageError for an unknown mode.
    """
    if config is None and mode not in MODES:
        raise UsageError(f"mode: expected one of {', '.join(MODES)}; found {mode!r}")
    config = config or MODES[mode]
    pixels = _pixels(photo)
    picture = resize_for_search(pixels, config)
    per_strategy = [hierarchy.boxes for hierarchy in hierarchies(picture, config)]
    boxes = rank_boxes(per_strategy, config.seed if seed is None else seed, config.min_random_factor)
    sides = boxes[:, 2:] - boxes[:, :2]
    min_side = min(config.min_box_size, *picture.shape[:2])
    boxes = drop_duplicates(boxes[(sides >= min_side).all(axis=1)], config.duplicate_iou, config.max_boxes)
    stretch = [pixels.shape[1] / picture.shape[1], pixels.shape[0] / picture.shape[0]] * 2
    return torch.from_numpy(boxes.astype(np.float32) * np.array(stretch, np.float32))


def _pixels(photo: Photo) -> Bytes:
    """(H, W, 3) uint8, from a photo in any form."""
    if isinstance(photo, np.ndarray) and photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3:
        return photo  # as photos from files are
    return to_uint8_array(to_image(photo))


def resize_for_search(photo: Bytes, config: SelectiveSearchConfig) -> Bytes:
    """The photo (H, W, 3) at the size at which it is searched."""
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or not photo.size:
        raise PhotoError(f"a photo: expected (H, W, 3) uint8, found {photo.shape} {photo.dtype}")
    height, width = photo.shape[:2]
    scale = min(config.width / width, config.max_height / height)
    if height * scale < config.min_height and scale < 1:  # a panorama would become a line
        scale = min(1.0, config.min_height / height, config.max_width / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return np.ascontiguousarray(photo)
    resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(photo).resize(size, resampling))


def rank_boxes(per_strategy: Sequence[Boxes], seed: int, min_random_factor: float = 0.0) -> Boxes:
    """The boxes of all strategies without repeats, in the order of section 3.4.

    Box i of a hierarchy, counted from the top, gets the rank i times a random number in min_random_factor..1;
    low ranks come first.
    """
    generator = np.random.default_rng(seed)
    span = 1 - min_random_factor
    ranks = [
        np.arange(len(boxes), 0, -1) * (min_random_factor + span * generator.random(len(boxes)))
        for boxes in per_strategy
    ]
    boxes = np.concatenate(per_strategy)[np.argsort(np.concatenate(ranks), kind="stable")]
    keys = boxes.astype(np.int64) @ (np.int64(1) << np.array([48, 32, 16, 0]))  # sides are below 2^16
    _, first = np.unique(keys, return_index=True)
    return boxes[np.sort(first)]


def drop_duplicates(boxes: Boxes, duplicate_iou: float, max_boxes: int | None) -> Boxes:
    """The first `max_boxes` boxes whose IoU with every earlier one is at most `duplicate_iou`."""
    if duplicate_iou >= 1:
        return boxes[:max_boxes]
    limit = len(boxes) if max_boxes is None else max_boxes
    kept: Boxes = boxes[drop_near_duplicates(boxes, duplicate_iou, limit)]
    return kept

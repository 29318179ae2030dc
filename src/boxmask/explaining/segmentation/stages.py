"""The stages that all segmenters share: image, class scores, where it is unsure, label map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from boxmask.explaining.contract import Stage
from boxmask.explaining.inputs import image_stage, sheet
from boxmask.explaining.photo_view import PhotoView
from boxmask.pipeline.images import Batch
from boxmask.pipeline.segmentation.inference import probability_strips, segment, upsample_argmax
from boxmask.segmenters.contract import Segmenter
from boxmask.types import SegmentationMap
from boxmask.visualization.heat_maps import append_scale
from boxmask.visualization.legend import append_legend
from boxmask.visualization.segmentation import MAX_LEGEND_ENTRIES, tint_classes
from boxmask.visualization.style import RGBImage, class_colors

MAX_PIXELS = 2**20  # of a map of probabilities; larger photos are sampled
MAX_CLASSES = 9  # that are drawn, those with the largest shares

NetworkStages = Callable[[PhotoView, Batch], list[Stage]]


def explain_segmenter(
    model: Any, view: PhotoView, network_stages: NetworkStages
) -> tuple[list[Stage], SegmentationMap]:
    """The stages of a segmenter, and its label map.

    network_stages: the stages inside the network, of the photo or of one tile
    """
    part = middle_tile(view, model.config.tile)
    batch = model.prepare([part.image])
    [label_map] = segment([view.image], model, model.backbone.mean, model.backbone.std)
    probabilities, step = sample_probabilities(view, model)
    of_tile = [_image_stage(model, view, part, batch), *network_stages(part, batch)]
    area = _middle_area(view, model.config.tile)
    return [
        *[replace(stage, data=stage.data | {"area": area}) for stage in of_tile],
        scores_stage(view, probabilities, step, label_map),
        entropy_stage(view, probabilities, step),
        label_map_stage(view, label_map),
    ], label_map


def middle_tile(view: PhotoView, tile: int) -> PhotoView:
    """The tile in the middle of the photo; the photo if there are no tiles."""
    if not tile:
        return view
    left, top, right, bottom = _middle_area(view, tile)
    pixels = np.ascontiguousarray(view.pixels[top:bottom, left:right])
    return PhotoView(view.image[:, top:bottom, left:right], pixels, view.min_score)


def _middle_area(view: PhotoView, tile: int) -> tuple[int, int, int, int]:
    """The tile in the middle of the photo as a box; the whole photo if there are no tiles."""
    (top, bottom), (left, right) = (_middle(side, tile or side) for side in view.size)
    return left, top, right, bottom


def _middle(side: int, tile: int) -> tuple[int, int]:
    first = max(0, (side - tile) // 2)
    return first, min(side, first + tile)


def _image_stage(model: Segmenter, view: PhotoView, part: PhotoView, batch: Batch) -> Stage:
    stage = image_stage(batch, model.backbone)
    if part is view:
        return stage
    height, width = view.size
    text = (
        f"The photo has {width} × {height} pixels. It keeps its resolution and is segmented in tiles of "
        f"{model.config.tile} pixels that overlap. This and the next pictures show the tile in the middle."
    )
    return Stage(stage.name, stage.title, text, stage.picture, stage.data)


def sample_probabilities(view: PhotoView, model: Segmenter) -> tuple[Float[np.ndarray, "K h w"], int]:
    """The probabilities of the classes at every `step`-th pixel of the photo, and this step."""
    height, width = view.size
    step = max(1, math.ceil(math.sqrt(height * width / MAX_PIXELS)))
    rows, parts = 0, []
    for strip in probability_strips(view.image, model):
        first = -rows % step
        parts.append(strip[:, first::step, ::step].float().numpy(force=True))
        rows += strip.shape[1]
    return np.concatenate(parts, axis=1), step


def scores_stage(
    view: PhotoView, probabilities: Float[np.ndarray, "K h w"], step: int, label_map: SegmentationMap
) -> Stage:
    """One heat map per class."""
    names = label_map.class_names
    order = np.argsort(-probabilities.mean(axis=(1, 2)), kind="stable")[:MAX_CLASSES].tolist()
    shares = label_map.shares()
    pictures = {
        f"{names[label]}: {100 * shares.get(names[label], 0.0):.1f} % of the photo": view.heat(
            probabilities[label], None, (0.0, 1.0)
        )
        for label in order
    }
    text = (
        "A softmax turns the scores of each pixel into probabilities of the classes, which sum to 1. Each "
        "pixel gets the class with the highest one."
    )
    if len(names) > len(order):
        text += f" Shown are {len(order)} of {len(names)} classes."
    data = {"probabilities": probabilities, "step": step, "class_names": list(names)}
    picture = append_scale(sheet(pictures), (0.0, 1.0))
    return Stage("class-scores", "Class scores", text, picture, data)


def entropy_stage(view: PhotoView, probabilities: Float[np.ndarray, "K h w"], step: int) -> Stage:
    """Where the segmenter is unsure."""
    num_classes = len(probabilities)
    logs = np.log(np.maximum(probabilities, 1e-12))
    entropy = np.asarray(-(probabilities * logs).sum(axis=0) / max(math.log(num_classes), 1e-12))
    unsure = float((probabilities.max(axis=0) < 0.5).mean())
    text = (
        "The entropy of the probabilities tells how unsure the segmenter is: 0 where one class has them all, "
        f"1 where all {num_classes} classes are equally likely. No class reaches a probability of 0.5 in "
        f"{100 * unsure:.1f} % of the photo. Borders are often bright. If objects are bright, label more "
        "like them."
    )
    picture = append_scale(view.heat(entropy, None, (0.0, 1.0)), (0.0, 1.0))
    data = {"entropy": entropy, "step": step}
    return Stage("entropy", "Where it is unsure", text, picture, data)


def label_map_stage(view: PhotoView, label_map: SegmentationMap) -> Stage:
    """The result, as `boxmask predict` draws it."""
    shares = list(label_map.shares().items())
    largest = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares[:5])
    more = f", and {len(shares) - 5} more classes" if len(shares) > 5 else ""
    text = f"The result: the class of every pixel. {largest}{more}."
    color_of = dict(zip(label_map.class_names, class_colors(label_map.class_names), strict=True))
    legend = [(f"{name} {100 * share:.1f} %", color_of[name]) for name, share in shares[:MAX_LEGEND_ENTRIES]]
    picture = append_legend(draw_labels(view, label_map.labels, label_map.class_names), legend)
    data = {"labels": label_map.labels, "class_names": list(label_map.class_names), "shares": dict(shares)}
    return Stage("label-map", "Label map", text, picture, data)


# ---------------------------------------------------------------- stages inside the network


def intermediate_labels(view: PhotoView, batch: Batch, logits: Tensor) -> UInt8[np.ndarray, "H W"]:
    """The label map of logits (1, K, h, w) of the network; of a large photo, at the size of the pictures."""
    height, width = batch.sizes[0]
    size = view.size if view.size[0] * view.size[1] <= MAX_PIXELS else view.picture_size
    labels: UInt8[np.ndarray, "H W"] = upsample_argmax(logits[0, :, :height, :width].float(), size).numpy()
    return labels


def draw_labels(view: PhotoView, labels: UInt8[np.ndarray, "H W"], class_names: Sequence[str]) -> RGBImage:
    """The photo tinted by class, at the size of the pictures; labels have this size or the photo's."""
    if labels.shape == view.picture.shape[:2]:
        return tint_classes(view.picture, labels, class_names)
    return view.fit(tint_classes(view.pixels, labels, class_names))


def append_class_legend(
    picture: RGBImage, class_names: Sequence[str], label_maps: Sequence[UInt8[np.ndarray, "H W"]]
) -> RGBImage:
    """Append the names and colors of the classes in some label maps."""
    colors = class_colors(class_names)
    present = np.unique(np.concatenate([labels.ravel() for labels in label_maps])).tolist()
    return append_legend(picture, [(class_names[label], colors[label]) for label in present])

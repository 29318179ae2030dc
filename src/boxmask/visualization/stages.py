"""One picture of a photo's way through Mask R-CNN: what each stage sees and passes on.

image -> features -> proposals -> heads -> postprocess -> masks
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.geometry.boxes import clip, decode, rescale
from boxmask.photos.read import load_photo, to_image
from boxmask.pipeline.images import Batch
from boxmask.types import Detections
from boxmask.visualization.boxes import draw_boxes
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.style import RGBImage

MAX_LEVELS = 3  # levels of the pyramid that are shown
MAX_PROPOSALS = 60  # more boxes would hide the photo
MIN_SCORE = 0.5


@torch.inference_mode()
def draw_stages(model: MaskRCNN, photo: Path) -> RGBImage:
    """Draw the stages of one photo as a grid of captioned pictures."""
    boxes, pixels = model.boxes, load_photo(photo)
    batch = boxes.prepare([to_image(photo)])
    features = boxes.features(batch.pixels)
    (proposals,) = boxes.rpn_proposals(features, batch, boxes.config.test_proposals)
    before_nms = _before_nms(model, features, proposals, batch)
    detections = model.predict(photo).filter(min_score=MIN_SCORE)
    height, width = batch.sizes[0]
    pictures = {f"image: resized to {width} x {height} and padded": _input(model, batch)}
    for level, stride in list(zip(features, boxes.config.strides, strict=False))[:MAX_LEVELS]:
        pictures[f"features: stride {stride}"] = _heat_map(level[0], batch)
    shown = rescale(proposals[:MAX_PROPOSALS], batch.sizes[0], batch.original_sizes[0]).cpu()
    pictures |= {
        f"proposals: the RPN's first {len(shown)} of {len(proposals)}": draw_boxes(pixels, shown),
        f"heads: {len(before_nms)} boxes with a class": _draw_thin(pixels, before_nms),
        f"postprocess: {len(detections)} after NMS": _draw(pixels, replace(detections, masks=None)),
        "masks: one per detection": _draw(pixels, detections),
    }
    return contact_sheet(list(pictures.values()), columns=4, width=1600, captions=list(pictures))


def _draw(pixels: RGBImage, detections: Detections) -> RGBImage:
    return draw_detections(pixels, detections, min_score=MIN_SCORE)


def _draw_thin(pixels: RGBImage, detections: Detections) -> RGBImage:
    """Boxes without names: before NMS, many lie on one object."""
    return draw_boxes(pixels, detections.boxes, detections.labels.tolist())


def _before_nms(model: MaskRCNN, features: list[Tensor], proposals: Tensor, batch: Batch) -> Detections:
    """The box head's boxes with at least MIN_SCORE, in pixels of the photo, before NMS."""
    boxes, size = model.boxes, batch.original_sizes[0]
    class_logits, box_deltas = boxes.box_head(boxes.pool(features, [proposals]))
    scores, labels = class_logits.float().softmax(dim=1)[:, :-1].max(dim=1)
    order = scores.argsort(descending=True)
    order = order[scores[order] >= MIN_SCORE]
    deltas = box_deltas.float()[order, labels[order]] / box_deltas.new_tensor(boxes.config.delta_weights)
    decoded = clip(decode(proposals[order], deltas), batch.sizes[0])
    moved = clip(rescale(decoded, batch.sizes[0], size), size)
    found = moved.numpy(force=True), scores[order].numpy(force=True), labels[order].numpy(force=True)
    return Detections(*found, boxes.config.class_names, size)


def _input(model: MaskRCNN, batch: Batch) -> RGBImage:
    """The batch as the network sees it, with normalization undone."""
    mean, std = (x.cpu()[:, None, None] for x in (model.boxes.backbone.mean, model.boxes.backbone.std))
    image = (batch.pixels[0].cpu() * std + mean).clamp(0, 1)
    inside = torch.zeros(image.shape[1:], dtype=torch.bool)
    inside[: batch.sizes[0][0], : batch.sizes[0][1]] = True
    image = torch.where(inside, image, 0.0)  # padding is zero after normalization, black is easier to see
    return np.ascontiguousarray((255 * image).round().byte().permute(1, 2, 0).numpy())


def _heat_map(level: Float[Tensor, "C H W"], batch: Batch) -> RGBImage:
    """The mean absolute activation of each cell, from dark (low) to bright (high)."""
    heat = level.abs().mean(dim=0).cpu().numpy()
    heat = (heat - heat.min()) / max(1e-6, float(np.ptp(heat)))
    height, width = batch.pixels.shape[-2:]
    rows = np.arange(height) * heat.shape[0] // height
    columns = np.arange(width) * heat.shape[1] // width
    colors = matplotlib.colormaps["viridis"](heat[rows[:, None], columns[None]])
    return np.ascontiguousarray((255 * colors[..., :3]).round().astype(np.uint8))

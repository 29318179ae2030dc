"""Mask R-CNN (arXiv:1703.06870): Faster R-CNN, and a mask of each detection."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from boxmask.detectors.mask_rcnn import MaskRCNN
from boxmask.explaining.contract import Stage
from boxmask.explaining.detection.faster_rcnn import explain_boxes
from boxmask.explaining.detection.results import detections_stage
from boxmask.explaining.inputs import sheet
from boxmask.explaining.photo_view import PhotoView, fit_into_square
from boxmask.pipeline.images import Batch
from boxmask.types import Detections
from boxmask.visualization.heat_maps import append_scale, draw_cells
from boxmask.visualization.style import RGBImage

MAX_MASKS = 8
SIDE = 200  # of the small pictures


def explain_mask_rcnn(model: MaskRCNN, view: PhotoView) -> tuple[list[Stage], Detections]:
    """The stages of Mask R-CNN, and its detections."""
    batch = model.boxes.prepare([view.image])
    features = model.boxes.features(batch.pixels)
    stages, boxes = explain_boxes(model.boxes, view, batch, features)
    [detections] = model.add_masks(features, [boxes], batch)
    masks = [_masks_stage(model, view, batch, features, detections)] if len(detections) else []
    return [*stages, *masks, detections_stage(view, detections)], detections


def _masks_stage(
    model: MaskRCNN, view: PhotoView, batch: Batch, features: list[Tensor], detections: Detections
) -> Stage:
    """The masks of the first detections before they are pasted into the photo."""
    shown = detections[:MAX_MASKS]
    [rois] = batch.rescale_boxes([torch.from_numpy(shown.boxes)])
    labels = torch.from_numpy(shown.labels).to(rois.device)
    masks = model.mask_head(model.pool(features, [rois]), labels).float().sigmoid().numpy(force=True)
    names = [f"{name} {score:.2f}" for name, score in zip(shown.names, shown.scores.tolist(), strict=True)]
    pictures = {
        f"{number}. {name}": np.concatenate([view.crop(box, SIDE), _stretched(mask, box)], axis=1)
        for number, (name, box, mask) in enumerate(zip(names, shown.boxes, masks, strict=True), start=1)
    }
    side, threshold = masks.shape[-1], model.config.mask_threshold
    text = (
        f"For each detection, the mask branch predicts {side} × {side} probabilities, whatever the size of "
        "the box, for the class of the detection alone. They are stretched to the box, and pixels above "
        f"{threshold:g} belong to the object. Shown are the boxes and their masks before that."
    )
    data = {"boxes": shown.boxes, "names": shown.names, "scores": shown.scores, "masks": masks}
    picture = append_scale(sheet(pictures, columns=2), (0.0, 1.0))
    return Stage("masks", "Masks before pasting", text, picture, data)


def _stretched(mask: np.ndarray, box: np.ndarray) -> RGBImage:
    """A mask in the proportions of its box, as `PhotoView.crop` shows the box."""
    cells = draw_cells(mask, SIDE, (0.0, 1.0))
    extent = (float(box[2] - box[0]), float(box[3] - box[1]))
    return fit_into_square(cells, extent, SIDE, Image.Resampling.NEAREST)

"""Draw detections on photos: masks or boxes, each with a name tag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from PIL import Image

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.types import Detections
from boxmask.visualization.boxes import draw_boxes
from boxmask.visualization.contact_sheet import side_by_side
from boxmask.visualization.masks import draw_masks
from boxmask.visualization.name_tags import MAX_NAMES, draw_name_tags
from boxmask.visualization.object_colors import colors_by_class, object_colors
from boxmask.visualization.style import RGBImage, check_photo


def draw_detections(
    photo: RGBImage,
    detections: Detections,
    *,
    min_score: float = 0.5,
    show_scores: bool = True,
    by_class: bool = False,
) -> RGBImage:
    """Draw every detection with at least `min_score`: (H, W, 3) uint8 -> (H, W, 3) uint8. The photo is kept.

    An object whose mask is known is tinted and outlined, each in another color. Any other has a box in the
    color of its class, which is the same in every picture. Name tags stay inside the photo and never overlap.
    The 60 detections with the highest scores get one, as long as there is room.

    by_class: masks, too, have the color of their class, for pictures that are compared or have a legend

    Raises ValueError if `photo` is not such an array of the detections' size.
    """
    check_photo(photo, detections.size)
    shown = detections.filter(min_score=min_score)
    colors = colors_by_class(shown) if by_class else object_colors(shown)
    boxed = _without_mask(shown)
    picture = draw_masks(photo, shown, _line_thickness(photo, len(shown)), colors)
    picture = draw_boxes(picture, _visible(boxed), boxed.labels.tolist(), _line_thickness(photo, len(boxed)))
    canvas = Image.fromarray(picture)
    draw_name_tags(canvas, shown, show_scores, colors)
    return np.array(canvas)


def draw_comparison(
    photo: RGBImage, labeled: Detections, detections: Detections, *, min_score: float = 0.5
) -> RGBImage:
    """Draw the photo twice, side by side: with its labels, and with the detections."""
    left = draw_detections(photo, labeled, show_scores=False, by_class=True)
    right = draw_detections(photo, detections, min_score=min_score, by_class=True)
    return side_by_side(left, right, captions=("labeled", "found"))


def detections_from_labels(dataset: DetectionDataset, photo: int) -> Detections:
    """The labels of one photo as detections with score 1."""
    rows = dataset.rows(photo)
    height, width = dataset.sizes[photo].tolist()
    boxes, labels = dataset.boxes[rows], dataset.labels[rows]
    scores, masks = np.ones(len(boxes), dtype=np.float32), dataset.masks(photo)
    return Detections(boxes, scores, labels, dataset.class_names, (height, width), masks)


def _without_mask(detections: Detections) -> Detections:
    """The detections of which only the box is known."""
    if detections.masks is None:
        return detections
    return replace(detections[~detections.masks.known], masks=None)


def _visible(detections: Detections) -> Float[np.ndarray, "N 4"]:
    """The boxes, each at least one pixel wide and high, so that its line shows."""
    corner = detections.boxes[:, :2]
    return np.concatenate([corner, np.maximum(detections.boxes[:, 2:], corner + 1)], axis=1)


def _line_thickness(photo: RGBImage, num_detections: int) -> int:
    shorter_side = int(min(photo.shape[:2]))
    return max(1, round(shorter_side / (400 if num_detections > MAX_NAMES else 220)))

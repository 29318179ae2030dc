"""One picture of what Mask R-CNN finds: boxes, outlines and the class of every pixel, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from boxmask.types import Detections
from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.detections import draw_detections
from boxmask.visualization.legend import append_legend
from boxmask.visualization.segmentation import tint_classes
from boxmask.visualization.style import RGBImage, class_colors

CAPTIONS = ("boxes", "outlines", "the class of every pixel")


def draw_overview(
    photos: Sequence[RGBImage], detections: Sequence[Detections], *, min_score: float = 0.5
) -> RGBImage:
    """Three pictures per photo in one row, two photos per row, and a legend of the classes below."""
    pictures: list[RGBImage] = []
    for photo, found in zip(photos, detections, strict=True):
        shown = found.filter(min_score=min_score)
        label_map = shown.to_segmentation_map()
        pictures.append(draw_detections(photo, replace(shown, masks=None), min_score=min_score))
        outlines = draw_detections(photo, shown, min_score=min_score, show_scores=False, by_class=True)
        pictures.append(outlines)
        pictures.append(tint_classes(photo, label_map.labels, label_map.class_names))
    columns = len(CAPTIONS) * min(2, len(photos))
    sheet = contact_sheet(pictures, columns=columns, width=320 * columns, captions=CAPTIONS * len(photos))
    names = detections[0].class_names
    return append_legend(sheet, list(zip(names, class_colors(names), strict=True)))

"""Results as the regions of Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from shapely import Polygon

from boxmask.data.formats.contract import Losses, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.label_studio.write import shape_of
from boxmask.data.outline_tracing import trace
from boxmask.data.outlines import Outline, Polygons, RunLengths
from boxmask.geometry import rle
from boxmask.masks import Masks, Size
from boxmask.results.short_floats import shortest
from boxmask.serving.label_studio.label_config import Control
from boxmask.types import Classification, Detections, SegmentationMap

TOLERANCE = 1.0  # pixels between a polygon and the edges of the pixels that it outlines


def control_tags(task: str, *, has_masks: bool) -> tuple[str, ...]:
    """The controls that can hold the results of a model, the best first."""
    if task == "classification":
        return ("Choices",)
    if task == "segmentation":
        return ("BrushLabels",)
    outlines = ("BrushLabels", "PolygonLabels") if has_masks else ()
    return (*outlines, "RectangleLabels")


def prediction(result: Any, size: Size, control: Control, version: str) -> dict[str, Any]:
    """A prediction of Label Studio: its regions, and the mean of their scores.

    Objects whose class is no label of the control are left out, and so are those without pixels where the
    control takes outlines only.
    """
    regions = list(_regions(result, size, control))
    scores = [region["score"] for region in regions if "score" in region]
    return {
        "result": [{"id": f"boxmask-{number}", **region} for number, region in enumerate(regions, start=1)],
        "score": float(np.mean(scores)) if scores else 0.0,
        "model_version": version,
    }


def _regions(result: Any, size: Size, control: Control) -> Iterator[dict[str, Any]]:
    if isinstance(result, Classification):
        if label := control.label_of(result.name):
            yield {
                "from_name": control.name,
                "to_name": control.to_name,
                "type": "choices",
                "value": {"choices": [label]},
                "score": shortest(result.scores.max()),
            }
        return
    for name, score, box, masks in _objects(result, size):
        label = control.label_of(name)
        if label is None or (masks is None and control.tag != "RectangleLabels"):
            continue
        outline = None if masks is None else _outline(masks, control.tag)
        region = _region(label, box, outline, size, control)
        yield region if score is None else region | {"score": score}


Box = tuple[float, float, float, float]


def _objects(result: Any, size: Size) -> Iterator[tuple[str, float | None, Box, Masks | None]]:
    """Class, score, box and mask of each object; of a label map, of each class."""
    if isinstance(result, Detections):
        for found in result:
            known = found.masks if found.masks is not None and found.masks.known.all() else None
            yield found.name, shortest(np.float32(found.score)), found.box, known
    elif isinstance(result, SegmentationMap):
        for region in result:
            masks = Masks.from_dense(region.mask[None])
            x1, y1, x2, y2 = masks.boxes()[0].tolist()
            yield region.name, None, (x1, y1, x2, y2), masks


def _outline(masks: Masks, tag: str) -> Outline | None:
    """The outline of a mask in the form that a control takes."""
    if tag == "RectangleLabels":
        return None
    pixels = RunLengths(rle.encode(masks)[0].astype(np.int32), masks.size)
    if tag == "BrushLabels":
        return pixels
    parts = [Polygon(part).simplify(TOLERANCE) for part in trace(pixels).parts]
    largest = max(parts, key=lambda part: part.area)
    return Polygons((np.array(largest.exterior.coords[:-1], dtype=np.float64),))


def _region(label: str, box: Box, outline: Outline | None, size: Size, control: Control) -> dict[str, Any]:
    photo = PhotoToWrite(Path("photo"), "photo", size, "", ())
    shape, value = shape_of(ObjectToWrite(label, box, outline), photo, Losses())
    kind = f"{shape}labels"
    return {
        "from_name": control.name,
        "to_name": control.to_name,
        "type": kind,
        "original_width": size[1],
        "original_height": size[0],
        "image_rotation": 0,
        "value": value | {kind: [label]},
    }

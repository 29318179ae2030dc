"""Results as JSON."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field

from boxmask.geometry.rle import compress, encode
from boxmask.results.short_floats import shortest
from boxmask.types import Classification, Detections, SegmentationMap


class Mask(BaseModel):
    """The pixels of an object as the compressed run lengths of COCO, which pycocotools decodes."""

    size: list[int] = Field(description="Height and width of the photo.")
    counts: str


class FoundObject(BaseModel):
    """An object that a detector found."""

    class_name: str = Field(alias="class")
    score: float = Field(description="0 to 1.")
    box: list[float] = Field(description="x1, y1, x2, y2 in pixels of the photo.")
    mask: Mask | None = Field(None, description="Of detectors that find masks.")


class PhotoResult(BaseModel):
    """The result of one photo."""

    name: str = Field(description="The name that came with the photo.")
    width: int
    height: int
    objects: list[FoundObject] | None = Field(
        None, description="Of a detector: the objects, highest score first."
    )
    shares: dict[str, float] | None = Field(
        None, description="Of a segmenter: the fraction of the photo that each class takes up."
    )
    label_map: str | None = Field(
        None,
        description="Of a segmenter: a PNG in Base64 whose pixels are indices into the model's class names.",
    )
    class_name: str | None = Field(None, alias="class", description="Of a classifier: the likeliest class.")
    score: float | None = Field(None, description="Of a classifier: the score of this class.")
    scores: dict[str, float] | None = Field(None, description="Of a classifier: the score of each class.")


class PredictReply(BaseModel):
    """The results of all photos of a request, in their order."""

    model: str
    task: str
    results: list[PhotoResult]


def result_document(result: Any, name: str, size: tuple[int, int]) -> dict[str, Any]:
    """The JSON of a result, as `PhotoResult` describes it. size: (height, width) of the photo"""
    common = {"name": name, "width": size[1], "height": size[0]}
    match result:
        case Detections():
            return common | {"objects": _objects(result)}
        case SegmentationMap():
            return common | {"shares": result.shares(), "label_map": _png(result)}
        case Classification():
            scores = [shortest(score) for score in result.scores]
            named = dict(zip(result.class_names, scores, strict=True))
            return common | {"class": result.name, "score": shortest(result.scores.max()), "scores": named}
    raise TypeError(f"expected a result, found {type(result).__name__}")


def _objects(detections: Detections) -> list[dict[str, Any]]:
    masks = _masks(detections)
    rows = zip(detections.names, detections.scores, detections.boxes, masks, strict=True)
    return [
        {"class": name, "score": shortest(score), "box": [shortest(side) for side in box], **mask}
        for name, score, box, mask in rows
    ]


def _masks(detections: Detections) -> list[dict[str, Any]]:
    if detections.masks is None:
        return [{}] * len(detections)
    size = list(detections.masks.size)
    return [{"mask": {"size": size, "counts": compress(counts)}} for counts in encode(detections.masks)]


def _png(label_map: SegmentationMap) -> str:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(label_map.labels)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")

"""Results in JSON as the types that the writers take."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from boxmask.errors import UsageError
from boxmask.geometry import rle
from boxmask.masks import Masks, Size
from boxmask.serving.errors import RequestError
from boxmask.serving.models import ServedModel
from boxmask.serving.save.request import SavedObject, SavedResult
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.types.checks import class_indices

if TYPE_CHECKING:
    from jaxtyping import Int

MASK_PHOTOS = 8
"""The masks of a photo together cover at most as many pixels as this many photos of the largest size. A mask
covers the columns from its first to its last pixel, which are decoded as a whole."""

_UNREADABLE = (
    binascii.Error,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    ValueError,
    OSError,
    SyntaxError,
)


def result_of(
    saved: SavedResult, model: ServedModel, max_pixels: int
) -> Detections | SegmentationMap | Classification:
    """The result of a photo. Raises RequestError for one that this model cannot have given."""
    size = (saved.height, saved.width)
    if size[0] * size[1] > max_pixels:
        raise _invalid(f"width × height: at most {max_pixels:,} pixels, found {size[0] * size[1]:,}", 413)
    if model.task == "detection" and saved.objects is not None:
        return _detections(saved.objects, size, model.class_names, MASK_PHOTOS * max_pixels)
    if model.task == "segmentation" and saved.label_map is not None:
        label_map = _label_map(saved.label_map, size, model.class_names)
        return label_map if saved.classes is None else _only(label_map, saved.classes)
    if model.task == "classification" and saved.scores is not None:
        return _classification(saved.scores, model.class_names)
    field = {"detection": "objects", "segmentation": "label_map", "classification": "scores"}[model.task]
    raise _invalid(f"{field}: this field is missing; {model.name} is a model for {model.task}")


def _detections(
    objects: list[SavedObject], size: Size, class_names: tuple[str, ...], max_covered: int
) -> Detections:
    ordered = sorted(objects, key=lambda found: -found.score)
    try:
        labels = class_indices([found.class_name for found in ordered], class_names)
    except UsageError as error:
        raise _invalid(f"objects: {str(error)[:500]}") from error
    boxes = np.array([found.box for found in ordered], dtype=np.float32).reshape(-1, 4)
    if not (boxes[:, :2] <= boxes[:, 2:]).all():
        raise _invalid("box: expected x1, y1, x2, y2 with x1 ≤ x2 and y1 ≤ y2")
    height, width = size
    boxes = boxes.clip(0, np.array([width, height, width, height], dtype=np.float32))
    scores = np.array([found.score for found in ordered], dtype=np.float32)
    numbers = np.array(labels, dtype=np.int64).reshape(-1)
    return Detections(boxes, scores, numbers, class_names, size, _masks(ordered, size, max_covered))


def _masks(objects: list[SavedObject], size: Size, max_covered: int) -> Masks | None:
    """The masks of objects, one decoded after the other, so that their memory and time have a bound."""
    if all(found.mask is None for found in objects):
        return None
    parts, covered = list[Masks](), 0
    for found in objects:
        if found.mask is None:
            parts.append(Masks.unknown(1, size))
            continue
        if found.mask.size != size:
            raise _invalid(f"mask.size: expected {size}, the size of the photo, found {found.mask.size}")
        try:
            counts = rle.decompress(found.mask.counts)
            covered += _covered(counts, size)
            if covered > max_covered:
                raise _invalid("masks: they take too much memory. Save fewer objects", 413)
            parts.append(rle.decode([counts], size))
        except ValueError as error:
            raise _invalid(f"mask.counts: {error}") from error
    return Masks.concatenate(parts, size)


def _covered(counts: Int[np.ndarray, " R"], size: Size) -> int:
    """The pixels of the columns that a mask lies in."""
    filled = np.flatnonzero(counts[1::2] > 0)
    if not len(filled):
        return 0
    ends, height = np.cumsum(counts), size[0]
    first, last = int(ends[2 * filled[0]]) // height, (int(ends[2 * filled[-1] + 1]) - 1) // height
    return (last + 1 - first) * height


def _label_map(text: str, size: Size, class_names: tuple[str, ...]) -> SegmentationMap:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as image:
            if (image.height, image.width) != size or image.mode != "L":
                raise _invalid("label_map: expected a gray PNG of the size of the photo")
            labels = np.array(image, dtype=np.uint8)
        return SegmentationMap(labels, class_names)
    except _UNREADABLE as error:
        raise _invalid("label_map: expected a PNG in Base64, as the model gave it") from error


def _only(label_map: SegmentationMap, classes: list[str]) -> SegmentationMap:
    try:
        return label_map.filter(names=classes)
    except UsageError as error:
        raise _invalid(f"classes: {str(error)[:500]}") from error


def _classification(scores: dict[str, float], class_names: tuple[str, ...]) -> Classification:
    if set(scores) != set(class_names):
        raise _invalid("scores: expected one for each class of the model")
    values = np.array([scores[name] for name in class_names], dtype=np.float32)
    try:
        return Classification(values, class_names)
    except ValueError as error:
        raise _invalid(f"scores: {error}") from error


def _invalid(message: str, status: int = 422) -> RequestError:
    return RequestError(status, "invalid", f"{message}.")

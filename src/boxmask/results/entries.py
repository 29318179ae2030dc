"""Results as JSON can hold them, exactly, for the journal of a prediction."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from boxmask.masks import Masks
from boxmask.types import Classification, Detections


def detections_entry(detections: Detections) -> dict[str, Any]:
    """Detections without their class names."""
    masks = detections.masks
    return {
        "size": list(detections.size),
        "boxes": detections.boxes.tolist(),
        "scores": detections.scores.tolist(),
        "labels": detections.labels.tolist(),
        "masks": None if masks is None else {"windows": masks.windows.tolist(), "bits": _packed(masks)},
    }


def detections_from_entry(entry: Mapping[str, Any], class_names: tuple[str, ...]) -> Detections:
    """The detections that `detections_entry` took. Raises ValueError or KeyError for other entries."""
    height, width = entry["size"]
    masks = entry["masks"]
    return Detections(
        np.array(entry["boxes"], dtype=np.float32).reshape(-1, 4),
        np.array(entry["scores"], dtype=np.float32),
        np.array(entry["labels"], dtype=np.int64),
        class_names,
        (height, width),
        None if masks is None else _unpacked(masks, (height, width)),
    )


def classification_entry(classification: Classification) -> dict[str, Any]:
    """The scores of the classes."""
    return {"scores": classification.scores.tolist()}


def classification_from_entry(entry: Mapping[str, Any], class_names: tuple[str, ...]) -> Classification:
    """The classification that `classification_entry` took. Raises as `detections_from_entry` does."""
    return Classification(np.array(entry["scores"], dtype=np.float32), class_names)


def _packed(masks: Masks) -> str:
    return base64.b64encode(zlib.compress(np.packbits(masks.bits).tobytes())).decode("ascii")


def _unpacked(entry: Mapping[str, Any], size: tuple[int, int]) -> Masks:
    windows = np.array(entry["windows"], dtype=np.int64).reshape(-1, 4)
    sides = windows[:, 2:] - windows[:, :2]
    packed = np.frombuffer(zlib.decompress(base64.b64decode(entry["bits"])), dtype=np.uint8)
    return Masks(size, windows, np.unpackbits(packed, count=int(sides.prod(axis=1).sum())).astype(np.bool_))

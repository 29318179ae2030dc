"""Write detections in COCO's JSON format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.geometry.rle import compress, encode
from boxmask.outputs.marks import mark_document
from boxmask.results.json_file import save_json
from boxmask.results.short_floats import shortest
from boxmask.types import Detections


def coco_json(paths: Sequence[str | Path], detections: Sequence[Detections]) -> dict[str, Any]:
    """Detections in COCO's format: `images`, `categories` and `annotations` with a `score`.

    Ids start at 1. `file_name` is the given path, with "/" between folders. Boxes are x, y, width, height in
    pixels, and `iscrowd` is 0. If the mask is known, `segmentation` holds its compressed run lengths and
    `area` is that of the mask; otherwise `area` is that of the box. `annotations` is also a list of results
    for pycocotools: `loadRes(document["annotations"])`.

    Raises ValueError if there is not one `Detections` per path, or if their class names differ.
    """
    class_names = _common_class_names(paths, detections)
    images = [
        {"id": i, "file_name": Path(path).as_posix(), "width": in_photo.size[1], "height": in_photo.size[0]}
        for i, (path, in_photo) in enumerate(zip(paths, detections, strict=True), start=1)
    ]
    annotations = [
        annotation
        for image_id, in_photo in enumerate(detections, start=1)
        for annotation in _annotations(image_id, in_photo)
    ]
    return {
        "images": images,
        "categories": [{"id": k, "name": name} for k, name in enumerate(class_names, start=1)],
        "annotations": [{"id": i} | annotation for i, annotation in enumerate(annotations, start=1)],
    }


def save_coco(paths: Sequence[str | Path], detections: Sequence[Detections], path: str | Path) -> None:
    """Write `coco_json` to a file, marked in `info` as a result of boxmask.

    Raises ValueError as `coco_json` does, and UsageError and OutputError as `save_json` does.
    """
    save_json(mark_document(coco_json(paths, detections), "info"), Path(path))


def _common_class_names(paths: Sequence[str | Path], detections: Sequence[Detections]) -> tuple[str, ...]:
    """The class names that all photos share; none without photos."""
    if len(paths) != len(detections):
        raise ValueError(f"detections: expected one per photo ({len(paths)}), found {len(detections)}")
    class_names = list(dict.fromkeys(in_photo.class_names for in_photo in detections))
    if len(class_names) > 1:
        raise ValueError(f"class names: expected the same for every photo, found {class_names[:2]}")
    return class_names[0] if class_names else ()


def _annotations(image_id: int, detections: Detections) -> Iterator[dict[str, Any]]:
    """The annotations of one photo, without ids."""
    boxes = detections.boxes.astype(np.float64)
    corners, sizes = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    scores, labels = detections.scores, detections.labels.tolist()
    rows = zip(corners, sizes, scores, labels, _mask_fields(detections), strict=True)
    for corner, size, score, label, mask_fields in rows:
        yield {
            "image_id": image_id,
            "category_id": label + 1,
            "bbox": [shortest(value) for value in (*corner, *size)],
            "area": shortest(size[0] * size[1]),
            "score": shortest(score),
            "iscrowd": 0,
            **mask_fields,
        }


def _mask_fields(detections: Detections) -> list[dict[str, Any]]:
    """`segmentation` and `area` of each detection; an empty dict if its mask is unknown."""
    if detections.masks is None:
        return [{} for _ in range(len(detections))]
    size, areas = list(detections.masks.size), detections.masks.areas().tolist()
    return [
        {"segmentation": {"size": size, "counts": compress(counts)}, "area": float(area)} if area else {}
        for counts, area in zip(encode(detections.masks), areas, strict=True)
    ]

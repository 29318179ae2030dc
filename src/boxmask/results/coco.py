"""Write pictures and detections to files, so that a file is either complete or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from boxmask.atomic_write import atomic_write
from boxmask.errors import UsageError
from boxmask.evaluation.detection.coco_masks import compressed
from boxmask.results.short_floats import shortest
from boxmask.types import Detections

JPEG_ENDINGS, PNG_ENDINGS = (".jpg", ".jpeg"), (".png",)
JPEG_QUALITY = 92  # thin lines and small letters stay clean


def save_picture(picture: UInt8[np.ndarray, "H W 3"], path: str | Path) -> None:
    """Write an RGB picture as JPEG or PNG, by the ending of `path`; missing folders are made.

    Raises UsageError for another ending, before anything is written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in JPEG_ENDINGS + PNG_ENDINGS:
        known = ", ".join(JPEG_ENDINGS + PNG_ENDINGS)
        raise UsageError(f'{path}: a picture cannot be written as "{ending}"; use one of {known}.')
    image = Image.fromarray(picture)
    with atomic_write(path) as temporary:
        if ending in JPEG_ENDINGS:
            image.save(temporary, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        else:
            image.save(temporary, "PNG")


def coco_json(paths: Sequence[str | Path], detections: Sequence[Detections]) -> dict[str, Any]:
    """Detections in COCO's format: `images`, `categories` and `annotations` with a `score`.

    Ids run from 1; `file_name` is the path as given, with "/" between folders; boxes are x, y, width, height
    in pixels; `iscrowd` is 0. Where a mask is known, `segmentation` holds its compressed run lengths, and
    `area` is the mask's, else the box's. Also a list of results for pycocotools:
    `loadRes(out["annotations"])`.
    Raises ValueError where there is not one `Detections` for each path, or their class names differ.
    """
    if len(paths) != len(detections):
        raise ValueError(f"expected detections for {len(paths)} photos, found them for {len(detections)}")
    names = list(dict.fromkeys(found.class_names for found in detections))
    if len(names) > 1:
        raise ValueError(f"class names: expected the same for every photo, found {names[:2]}")
    annotations = [
        annotation for i, found in enumerate(detections, start=1) for annotation in _annotations(i, found)
    ]
    return {
        "images": [
            {"id": i, "file_name": Path(path).as_posix(), "width": found.size[1], "height": found.size[0]}
            for i, (path, found) in enumerate(zip(paths, detections, strict=True), start=1)
        ],
        "categories": [{"id": k, "name": name} for k, name in enumerate(names[0] if names else (), start=1)],
        "annotations": [{"id": i} | annotation for i, annotation in enumerate(annotations, start=1)],
    }


def save_coco(paths: Sequence[str | Path], detections: Sequence[Detections], path: str | Path) -> None:
    """Write `coco_json` to a file; missing folders are made. Raises ValueError as `coco_json` does."""
    content = json.dumps(coco_json(paths, detections), ensure_ascii=False, indent=1)
    with atomic_write(Path(path)) as temporary:
        temporary.write_text(content + "\n", encoding="utf-8")


def _annotations(image_id: int, found: Detections) -> Iterator[dict[str, Any]]:
    """One photo's detections, without ids."""
    outlines = _outlines(found)
    boxes = found.boxes.cpu().double().numpy()
    sizes = boxes[:, 2:] - boxes[:, :2]
    rows = zip(boxes[:, :2], sizes, found.scores.cpu().numpy(), found.labels.tolist(), strict=True)
    for (corner, size, score, label), outline in zip(rows, outlines, strict=True):
        yield {
            "image_id": image_id,
            "category_id": label + 1,
            "bbox": [shortest(number) for number in (*corner, *size)],
            "area": shortest(size[0] * size[1]),
            "score": shortest(score),
            "iscrowd": 0,
            **outline,
        }


def _outlines(found: Detections) -> list[dict[str, Any]]:
    """What a detection's mask says of it; nothing where it has none."""
    if found.masks is None:
        return [{} for _ in range(len(found))]
    return [
        {"segmentation": runs, "area": float(area)} if area else {}
        for runs, area in zip(compressed(found.masks), found.masks.areas().tolist(), strict=True)
    ]

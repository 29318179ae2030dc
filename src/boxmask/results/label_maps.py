"""Results as images whose pixels are numbers: which object each pixel belongs to, or which class.

Objects: a 16-bit PNG, 0 for the background and 1..N for the objects, the surest first. Classes: a PNG with a
palette, whose numbers are the labels, and in the folder above a `classes.txt` with a line for each, `name
RRGGBB`: a set of labeled pixels, once the photos lie in a folder `images` beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from boxmask.atomic_write import atomic_write
from boxmask.errors import UsageError
from boxmask.types import IGNORED, Detections, SegmentationMap
from boxmask.visualization.style import class_colors, rgb

CLASSES = "classes.txt"
MOST_OBJECTS = 2**16 - 1


def instance_labels(found: Detections) -> UInt16[np.ndarray, "H W"]:
    """The number of each pixel's object, from 1 in the order of the detections; 0 where there is none.

    Where objects overlap, the surest lies on top. One whose mask has no pixel leaves its number unused.
    Raises UsageError for detections without masks, or more of them than 16 bits can count.
    """
    if found.masks is None:
        raise UsageError(
            "labels: this detector finds boxes, which do not say which pixels are an object's. "
            "Save coco or labelme, or use a detector that finds masks (mask-rcnn)."
        )
    if len(found) > MOST_OBJECTS:
        raise UsageError(
            f"labels: {len(found)} objects in a photo are more than the {MOST_OBJECTS} that 16 bits can "
            "count. Raise --min-score, or save coco."
        )
    numbers = np.zeros(found.size, dtype=np.uint16)
    crops, windows = found.masks.crops(), found.masks.windows.tolist()
    for row in reversed(range(len(found))):
        x1, y1, x2, y2 = windows[row]
        numbers[y1:y2, x1:x2][crops[row]] = row + 1
    return numbers


def save_instance_labels(found: Detections, path: str | Path) -> None:
    """Write `instance_labels` as a 16-bit PNG; missing folders are made. Raises UsageError as they do."""
    image = Image.fromarray(instance_labels(found))
    with atomic_write(Path(path)) as temporary:
        image.save(temporary, "PNG")


def save_class_labels(found: SegmentationMap, path: str | Path) -> None:
    """Write the labels as a PNG with the classes' colors as its palette; missing folders are made."""
    palette = np.zeros((IGNORED + 1, 3), dtype=np.uint8)
    palette[: len(found.class_names)] = [rgb(color) for color in class_colors(found.class_names)]
    image = Image.fromarray(_contiguous(found))
    image.putpalette(palette.tobytes())
    with atomic_write(Path(path)) as temporary:
        image.save(temporary, "PNG")


def _contiguous(found: SegmentationMap) -> UInt8[np.ndarray, "H W"]:
    return np.ascontiguousarray(found.labels.cpu().numpy())


def save_classes(class_names: Sequence[str], path: str | Path) -> None:
    """Write a line `name RRGGBB` for each class, in the order of the labels.

    Raises UsageError for a name that would be read back as another.
    """
    broken = [name for name in class_names if not name or name != " ".join(name.split()) or "," in name]
    if broken:
        raise UsageError(
            f"{path}: the class {broken[0]!r} cannot stand in a line; rename it and train again."
        )
    lines = [
        f"{name} {color[1:]}\n" for name, color in zip(class_names, class_colors(class_names), strict=True)
    ]
    with atomic_write(Path(path)) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")

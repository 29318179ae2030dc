"""Write results as images whose pixel values are object numbers or labels.

An instance map is a 16-bit PNG: 0 for the background and 1..N for the objects, highest score first.
A label map is a PNG with a palette, whose pixel values are the labels. In the folder above it lies a class
file, `classes.txt`, with one line `name RRGGBB` per class. With the photos in a folder `images` beside them,
label maps and classes file form a data set for segmentation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.outputs import write_output
from boxmask.outputs.marks import png_mark
from boxmask.types import IGNORED, Detections, SegmentationMap
from boxmask.visualization.style import class_colors, rgb

if TYPE_CHECKING:
    from jaxtyping import UInt16

CLASSES_FILE = "classes.txt"
MAX_OBJECTS = 2**16 - 1

_WRITABLE = re.compile('[^",\x00-\x1f\x7f\ud800-\udfff\ufeff]+')
"""Names without separators of fields, control characters, surrogates and byte order marks."""


def instance_map(detections: Detections) -> UInt16[np.ndarray, "H W"]:
    """The number of the object at each pixel, from 1 in the order of the detections; 0 for the background.

    Where objects overlap, the one with the highest score wins. An object with an empty mask leaves its number
    unused. Raises UsageError for detections without masks, or for more detections than 16 bits can number.
    """
    if detections.masks is None:
        raise UsageError(
            "label-maps: this detector finds boxes only, which have no pixels to number. "
            "Save coco or labelme, or use a detector that finds masks (mask-rcnn)."
        )
    if len(detections) > MAX_OBJECTS:
        raise UsageError(
            f"label-maps: a 16-bit image can number at most {MAX_OBJECTS} objects, found "
            f"{len(detections)} in one photo. Raise {option('min_score')}, or save coco."
        )
    return detections.masks.paint(np.arange(1, len(detections) + 1, dtype=np.uint16))


def save_instance_map(detections: Detections, path: str | Path) -> None:
    """Write `instance_map` as a 16-bit PNG. Missing folders are created. Raises UsageError as it does."""
    image = Image.fromarray(instance_map(detections))
    with write_output(Path(path)) as temporary:
        image.save(temporary, "PNG", pnginfo=png_mark())


def save_label_map(label_map: SegmentationMap, path: str | Path) -> None:
    """Write a label map as a PNG with the class colors as its palette. Missing folders are created."""
    palette = np.zeros((IGNORED + 1, 3), dtype=np.uint8)
    palette[: len(label_map.class_names)] = [rgb(color) for color in class_colors(label_map.class_names)]
    image = Image.fromarray(np.ascontiguousarray(label_map.labels))
    image.putpalette(palette.tobytes())
    with write_output(Path(path)) as temporary:
        image.save(temporary, "PNG", pnginfo=png_mark())


def check_writable_names(class_names: Sequence[str], path: str | Path) -> None:
    """Raise UsageError for a name that would be read back differently from the classes file at `path`."""
    invalid = [
        name for name in class_names if name != " ".join(name.split()) or not _WRITABLE.fullmatch(name)
    ]
    if invalid:
        raise UsageError(
            f"{path}: the class name {invalid[0]!r} cannot be written to a classes file. "
            "Rename it and train again."
        )


def save_classes_file(class_names: Sequence[str], path: str | Path) -> None:
    """Write one line `name RRGGBB` per class, in the order of the labels.

    Raises UsageError as `check_writable_names` does.
    """
    check_writable_names(class_names, path)
    colors = class_colors(class_names)
    lines = [f"{name} {color[1:]}\n" for name, color in zip(class_names, colors, strict=True)]
    with write_output(Path(path)) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")

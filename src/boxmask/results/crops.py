"""Write each found object as a picture of its own, cut out of the photo by its box, in a folder per class."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from boxmask.results.file_names import writable_name
from boxmask.results.formats import CROPS
from boxmask.results.pictures import save_picture
from boxmask.types import Detections
from boxmask.visualization.style import RGBImage


def crop_files(name: str, detections: Detections, folder: Path) -> list[Path]:
    """The file of each object of the photo called `name`: crops/CLASS/NAME-1.jpg, numbered by score."""
    seen: Counter[str] = Counter()
    files = []
    for class_name in detections.names:
        seen[class_name] += 1
        class_folder = folder / CROPS / _folder_name(class_name, folder)
        files.append(class_folder / f"{name}-{seen[class_name]}.jpg")
    return files


def save_crops(pixels: RGBImage, detections: Detections, files: list[Path]) -> None:
    """Write one JPEG file per object, of the pixels that its box touches. Raises as `save_picture` does."""
    height, width = pixels.shape[:2]
    for (x1, y1, x2, y2), file in zip(detections.boxes.tolist(), files, strict=True):
        left, top = min(int(x1), width - 1), min(int(y1), height - 1)
        right, bottom = max(int(np.ceil(x2)), left + 1), max(int(np.ceil(y2)), top + 1)
        save_picture(np.ascontiguousarray(pixels[top:bottom, left:right]), file)


def _folder_name(class_name: str, folder: Path) -> str:
    """The class name, without the characters that separate folders."""
    return writable_name(class_name.replace("/", "_").replace("\0", "_").lstrip(".") or "_", folder)

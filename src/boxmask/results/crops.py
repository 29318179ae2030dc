"""Write each found object as a picture of its own, cut out of the photo by its box, in a folder per class."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np

from boxmask.results.file_names import picture_names
from boxmask.results.formats import CROPS
from boxmask.results.pictures import save_picture
from boxmask.types import Detections
from boxmask.visualization.result_photo import box_windows
from boxmask.visualization.style import RGBImage


def crop_files(name: str, detections: Detections, folder: Path) -> list[Path]:
    """The file of each object of the photo called `name`: crops/CLASS/NAME-1.jpg, numbered by score."""
    seen: Counter[str] = Counter()
    folders = _folder_names(detections.class_names, folder)
    files = []
    for class_name in detections.names:
        seen[class_name] += 1
        files.append(folder / CROPS / folders[class_name] / f"{name}-{seen[class_name]}.jpg")
    return files


def save_crops(pixels: RGBImage, detections: Detections, files: list[Path]) -> None:
    """Write one JPEG file per object, of the pixels that its box touches. Raises as `save_picture` does."""
    for (left, top, right, bottom), file in zip(box_windows(detections), files, strict=True):
        save_picture(np.ascontiguousarray(pixels[top:bottom, left:right]), file)


@lru_cache(maxsize=8)
def _folder_names(class_names: tuple[str, ...], folder: Path) -> dict[str, str]:
    """The name of the folder of each class: its own name, as far as the disk accepts it, no two the same."""
    cleaned = [name.replace("/", "_").replace("\0", "_").lstrip(".") or "_" for name in class_names]
    names = picture_names([Path(f"{name}.jpg") for name in cleaned], folder)
    return dict(zip(class_names, names, strict=True))

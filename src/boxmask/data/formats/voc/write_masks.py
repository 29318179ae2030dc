"""Write outlines as VOC does: images of object numbers, and of class numbers."""

from __future__ import annotations

import posixpath
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from boxmask.data.formats.contract import ClassNames, Losses, PhotoToWrite
from boxmask.data.formats.painting import OVERLAPS, PIXELS, masks_of, overlap, paint_smallest_on_top
from boxmask.data.formats.voc_colors import voc_palette
from boxmask.data.outlines import RunLengths

MAX_NUMBER = 254
"""Of objects and classes: 0 is the background, 255 VOC's border between objects."""

_TOO_MANY = f"outlines of photos with over {MAX_NUMBER} objects are not written, only boxes"
_TOO_MANY_CLASSES = f"outlines are not written, because there are over {MAX_NUMBER} classes"


class MaskFiles:
    """Writes the two images of each photo with outlines.

    files:  that were written
    photos: with masks
    """

    def __init__(self, folder: Path, class_names: ClassNames) -> None:
        self.files: list[Path] = []
        self.photos: set[str] = set()
        self._folder = folder
        self._class_numbers = {name: number for number, name in enumerate(class_names, start=1)}

    def write(self, photo: PhotoToWrite, losses: Losses) -> bool:
        """Write the masks of a photo, if any of its objects has an outline and they can be numbered."""
        if all(labeled.outline is None for labeled in photo.objects):
            return False
        if len(photo.objects) > MAX_NUMBER or len(self._class_numbers) > MAX_NUMBER:
            losses.add(_TOO_MANY if len(photo.objects) > MAX_NUMBER else _TOO_MANY_CLASSES, photo.file)
            return False
        masks = masks_of(photo, photo.objects)
        if any(not isinstance(labeled.outline, RunLengths | None) for labeled in photo.objects):
            losses.add(PIXELS, photo.file)
        if overlap(masks):
            losses.add(OVERLAPS, photo.file)
        numbers = np.arange(1, len(photo.objects) + 1, dtype=np.uint8)
        classes = [self._class_numbers[labeled.class_name] for labeled in photo.objects]
        self._save("SegmentationObject", photo.file, paint_smallest_on_top(masks, numbers))
        self._save("SegmentationClass", photo.file, paint_smallest_on_top(masks, np.array(classes, np.uint8)))
        self.photos.add(photo.file)
        return True

    def _save(self, folder: str, file: str, pixels: UInt8[np.ndarray, "H W"]) -> None:
        path = self._folder / folder / f"{posixpath.splitext(file)[0]}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels)
        image.putpalette(voc_palette())
        image.save(path)
        self.files.append(path)


def write_labelmap_txt(class_names: ClassNames, folder: Path) -> Path:
    """Write labelmap.txt: classes and their colors in the masks. Datumaro and CVAT need it."""
    palette = voc_palette()
    lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
    for number, name in enumerate(class_names, start=1):
        color = ",".join(map(str, palette[3 * number % 768 : 3 * number % 768 + 3]))
        lines.append(f"{name}:{color}::")
    path = folder / "labelmap.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path

"""Several photos that are tinted by class, in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from boxmask.visualization.contact_sheet import contact_sheet
from boxmask.visualization.legend import append_legend
from boxmask.visualization.segmentation import tint_classes
from boxmask.visualization.style import RGBImage, class_colors, image_pixels


def draw_tinted(
    images: Sequence[Tensor], label_maps: Iterable[UInt8[np.ndarray, "H W"]], class_names: Sequence[str]
) -> RGBImage:
    """Images, uint8 (3, H, W), tinted by their label maps, above a legend."""
    pictures = [
        tint_classes(image_pixels(image), label_map, class_names)
        for image, label_map in zip(images, label_maps, strict=True)
    ]
    entries = list(zip(class_names, class_colors(class_names), strict=True))
    return append_legend(contact_sheet(pictures), entries)

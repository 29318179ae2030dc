"""Pictures of a segmentation: every pixel tinted by its class, borders between classes, and a legend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxmask.types import IGNORED, SegmentationMap
from boxmask.visualization.detections import MARGIN, contact_sheet
from boxmask.visualization.style import DARK, LIGHT, Picture, class_colors, font_of_size, is_background, rgb

OPACITY = 0.5
MOST_ENTRIES = 24  # classes in a legend; the smaller ones are left out
HATCH = 8  # pixels from stripe to stripe where the labels say nothing


def draw_map(photo: Picture, found: SegmentationMap) -> Picture:
    """The photo tinted by class, and below it a legend of the classes with their shares of the photo.

    A class called "background" is not tinted; each class has the same color in every picture of the same
    classes. The photo itself is kept. Raises ValueError where the sizes differ.
    """
    return _with_legend(tinted(photo, found.labels.cpu().numpy(), found.class_names), found)


def draw_map_pair(photo: Picture, labeled: UInt8[np.ndarray, "H W"], found: SegmentationMap) -> Picture:
    """The photo twice, side by side: with what its labels say, and with what was found; one legend below.

    labeled: labels counted by the same class names; where they are IGNORED, the photo is striped
    """
    pictures = [tinted(photo, labels, found.class_names) for labels in (labeled, found.labels.cpu().numpy())]
    width = 2 * (photo.shape[1] + 2 * MARGIN)  # so that nothing is scaled
    sheet = contact_sheet(pictures, columns=2, width=width, captions=("labeled", "found"))
    return _with_legend(sheet, found)


def tinted(photo: Picture, labels: UInt8[np.ndarray, "H W"], class_names: Sequence[str]) -> Picture:
    """The photo with its classes' colors shining through, and a line where one class meets another."""
    if photo.shape[:2] != labels.shape:
        raise ValueError(f"labels: expected the photo's size {photo.shape[:2]}, found {labels.shape}")
    colors, opacity = _tables(class_names)
    strength = opacity[labels][..., None]
    picture = (1 - strength) * photo + strength * colors[labels]
    ignored = labels == IGNORED
    if ignored.any():
        y, x = np.nonzero(ignored)
        stripes = (x + y) % HATCH < max(1, HATCH // 4)
        picture[y[stripes], x[stripes]] = rgb(LIGHT)
    picture[borders(labels)] = rgb(LIGHT)
    return np.asarray(picture.round(), dtype=np.uint8)


def borders(labels: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels whose right or lower neighbor is of another class."""
    found = np.zeros(labels.shape, dtype=np.bool_)
    found[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    found[:-1] |= labels[:-1] != labels[1:]
    return found


def _tables(class_names: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The color (256, 3) and the opacity (256,) of each label."""
    colors, opacity = np.zeros((IGNORED + 1, 3), np.float32), np.zeros(IGNORED + 1, np.float32)
    for label, (name, color) in enumerate(zip(class_names, class_colors(class_names), strict=True)):
        colors[label], opacity[label] = rgb(color), 0.0 if is_background(name) else OPACITY
    return colors, opacity


# ---------------------------------------------------------------- legend


def _with_legend(picture: Picture, found: SegmentationMap) -> Picture:
    """The picture, and under it a patch of color, the name and the share of each class that occurs."""
    size = max(9, round(np.sqrt(picture.shape[0] * picture.shape[1]) / 40))
    colors = dict(zip(found.class_names, class_colors(found.class_names), strict=True))
    entries = [(f"{name} {_percent(share)}", colors[name]) for name, share in found.shares().items()]
    places, height = _places([text for text, _ in entries[:MOST_ENTRIES]], picture.shape[1], size)
    strip = Image.new("RGB", (picture.shape[1], height), LIGHT)
    pencil, font = ImageDraw.Draw(strip), font_of_size(size)
    for (text, color), (x, y) in zip(entries, places, strict=False):
        pencil.rectangle((x, y, x + size - 1, y + size - 1), fill=color)
        pencil.text((x + size + size // 3, y + size // 2), text, DARK, font, anchor="lm")
    return np.concatenate([picture, np.array(strip)])


def _places(texts: Sequence[str], width: int, size: int) -> tuple[list[tuple[int, int]], int]:
    """Where each entry's upper left corner lies, row after row, and how high they are in all."""
    font, gap = font_of_size(size), max(2, size // 3)
    x, y, places = gap, gap, []
    for text in texts:
        extent = size + 2 * gap + int(font.getlength(text)) + size
        if x > gap and x + extent > width:
            x, y = gap, y + size + gap
        places.append((x, y))
        x += extent
    return places, y + size + gap


def _percent(share: float) -> str:
    """Small shares are not nothing."""
    return "under 0.1 %" if share < 0.001 else f"{share:.1%}".replace("%", " %")

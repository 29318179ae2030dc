"""Draw label maps: every pixel tinted by class, borders between classes, and a legend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import NDArray

from boxmask.types import IGNORED, SegmentationMap
from boxmask.visualization.contact_sheet import side_by_side
from boxmask.visualization.legend import append_legend
from boxmask.visualization.style import (
    LIGHT,
    RGBImage,
    check_photo,
    class_colors,
    is_background,
    rgb,
)

OPACITY = 0.5
MAX_LEGEND_ENTRIES = 24  # the classes with the largest shares
STRIPE_DISTANCE = 8  # pixels between the stripes over ignored pixels


def draw_label_map(photo: RGBImage, label_map: SegmentationMap) -> RGBImage:
    """Tint the photo by class, above a legend: (H, W, 3) uint8 -> (H + legend, W, 3) uint8.

    The photo is kept. The legend lists the share of each class. A class called "background" is not tinted. A
    class has the same color in every picture with the same classes.

    Raises ValueError if `photo` is not such an array of the map's size.
    """
    return _add_legend(tint_classes(photo, label_map.labels, label_map.class_names), label_map)


def draw_label_map_comparison(
    photo: RGBImage, labeled: UInt8[np.ndarray, "H W"], label_map: SegmentationMap
) -> RGBImage:
    """Draw the photo twice, side by side: with its labels, and with the label map. One legend lies below,
    with the share of each class in the labels and in the map.

    labeled: labels of the same class names; IGNORED pixels are striped
    """
    left = tint_classes(photo, labeled, label_map.class_names)
    right = tint_classes(photo, label_map.labels, label_map.class_names)
    sheet = side_by_side(left, right, captions=("labeled", "found"))
    labels = SegmentationMap(labeled, label_map.class_names)
    return append_legend(sheet, _comparison_entries(labels.shares(), label_map))


def tint_classes(photo: RGBImage, labels: UInt8[np.ndarray, "H W"], class_names: Sequence[str]) -> RGBImage:
    """Blend the class colors into the photo and draw a line between classes. ValueError for wrong sizes."""
    check_photo(photo, (int(labels.shape[0]), int(labels.shape[1])))
    colors, opacities = _color_tables(class_names)
    opacity = opacities[labels][..., None]
    picture = (1 - opacity) * photo + opacity * colors[labels]
    ignored = labels == IGNORED
    if ignored.any():
        y, x = np.nonzero(ignored)
        stripes = (x + y) % STRIPE_DISTANCE < max(1, STRIPE_DISTANCE // 4)
        picture[y[stripes], x[stripes]] = rgb(LIGHT)
    picture[borders(labels)] = rgb(LIGHT)
    return np.asarray(picture.round(), dtype=np.uint8)


def borders(labels: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels whose right or lower neighbor belongs to another class."""
    border = np.zeros(labels.shape, dtype=np.bool_)
    border[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    border[:-1] |= labels[:-1] != labels[1:]
    return border


def _color_tables(class_names: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The color (256, 3) and the opacity (256,) of each label."""
    colors = np.zeros((IGNORED + 1, 3), np.float32)
    opacities = np.zeros(IGNORED + 1, np.float32)
    for label, (name, color) in enumerate(zip(class_names, class_colors(class_names), strict=True)):
        colors[label] = rgb(color)
        opacities[label] = 0.0 if is_background(name) else OPACITY
    return colors, opacities


# ---------------------------------------------------------------- legend


def _add_legend(picture: RGBImage, label_map: SegmentationMap) -> RGBImage:
    """Append the name and the share of each class that occurs."""
    color_of = dict(zip(label_map.class_names, class_colors(label_map.class_names), strict=True))
    shares = list(label_map.shares().items())[:MAX_LEGEND_ENTRIES]
    return append_legend(picture, [(f"{name} {_percent(share)}", color_of[name]) for name, share in shares])


def _comparison_entries(labeled: dict[str, float], label_map: SegmentationMap) -> list[tuple[str, str]]:
    """The name and the color of each class of either map, with its share in both."""
    color_of = dict(zip(label_map.class_names, class_colors(label_map.class_names), strict=True))
    found = label_map.shares()
    shares = {name: (labeled.get(name, 0.0), found.get(name, 0.0)) for name in [*labeled, *found]}
    largest = sorted(shares, key=lambda name: -max(shares[name]))[:MAX_LEGEND_ENTRIES]
    percents = {name: [_percent(share) if share else "0 %" for share in shares[name]] for name in largest}
    return [(f"{name} {' / '.join(percents[name])}", color_of[name]) for name in largest]


def _percent(share: float) -> str:
    """A share as text; small shares are not rounded to zero."""
    return "under 0.1 %" if share < 0.001 else f"{share:.1%}".replace("%", " %")

"""Boxes, polygons and masks as the paths of SVG."""

from __future__ import annotations

import numpy as np

from boxmask.masks import Masks
from boxmask.pages.svg_paths import box_path, mask_polygons, polygon_path

SQUARE = np.array([[10.0, 10.0], [30.5, 10.0], [30.5, 30.0], [10.0, 30.0]])


def test_paths_are_closed_and_short() -> None:
    assert box_path((1, 2, 30, 4.25)) == "M1 2h30v4.25h-30z"
    assert polygon_path(SQUARE, 4) == "M10 10L30.5 10L30.5 30L10 30Z"
    assert polygon_path(SQUARE, 2) == "M10 10L30.5 30Z"
    assert polygon_path(SQUARE[:0], 2) == ""
    assert polygon_path(SQUARE * np.nan, 9) == ""


def test_masks_are_traced_in_pixels_of_the_photo() -> None:
    mask = np.zeros((1, 40, 60), dtype=np.bool_)
    mask[0, 10:20, 30:50] = True
    [polygon] = mask_polygons(Masks.from_dense(mask))
    assert polygon.min(axis=0).tolist() == [30, 10]
    assert polygon.max(axis=0).tolist() == [49, 19]

import numpy as np
import pytest
import torch

from boxmask.types import IGNORED, SegmentationMap
from boxmask.visualization.contact_sheet import side_by_side
from boxmask.visualization.segmentation import (
    _percent,
    borders,
    draw_label_map,
    draw_label_map_comparison,
    tint_classes,
)
from boxmask.visualization.style import PALETTE, class_colors, rgb

NAMES = ("background", "road", "house")


def gray(height, width):
    return np.full((height, width, 3), 128, dtype=np.uint8)


def map_of(labels, names=NAMES) -> SegmentationMap:
    return SegmentationMap(torch.tensor(np.asarray(labels, np.uint8)), names)


@pytest.fixture
def blocks() -> np.ndarray:
    """Background with a road across it and a house."""
    labels = np.zeros((90, 120), np.uint8)
    labels[30:60] = 1
    labels[5:25, 10:50] = 2
    return labels


def test_pixels_are_tinted_by_class_except_the_background(blocks):
    photo = gray(90, 120)
    picture = draw_label_map(photo, map_of(blocks))
    assert (photo == 128).all()
    assert picture.shape[1] == 120
    assert picture.shape[0] > 90
    assert picture[45, 60] == pytest.approx((np.array(rgb(PALETTE[0])) + 128) / 2, abs=1)
    assert picture[15, 30] == pytest.approx((np.array(rgb(PALETTE[1])) + 128) / 2, abs=1)
    assert tuple(picture[80, 60]) == (128, 128, 128)
    assert tuple(picture[29, 60]) == tuple(picture[59, 60]) == (255, 255, 255)  # borders
    assert borders(blocks).sum() == 2 * 120 + 2 * 20 + 2 * 40 - 1  # a corner belongs to two sides


def test_legend_has_a_patch_per_class_that_occurs(blocks):
    blocks[blocks == 2] = 1
    strip = draw_label_map(gray(90, 120), map_of(blocks))[90:]
    there = [(strip == rgb(color)).all(axis=-1).any() for color in class_colors(NAMES)]
    assert there == [True, True, False]
    assert [_percent(share) for share in (1.0, 0.3333, 0.0004)] == ["100.0 %", "33.3 %", "under 0.1 %"]


def test_comparison_shows_both_and_stripes_ignored_pixels(blocks):
    labeled = blocks.copy()
    labeled[60:] = IGNORED
    pair = draw_label_map_comparison(gray(90, 120), labeled, map_of(blocks * 0))
    top = side_by_side(gray(90, 120), gray(90, 120), captions=("", "")).shape[0]
    assert pair.shape[1] == 248
    left, right = pair[:top, :124], pair[:top, 124:]
    road = np.round((np.array(rgb(PALETTE[0])) + 128) / 2).astype(int)
    near = [(np.abs(half.astype(int) - road).max(axis=-1) <= 1).sum() for half in (left, right)]
    assert near[0] > 3000
    assert near[1] == 0
    unknown = left[-30:-2, 4:120]
    assert 0.15 < (unknown == 255).all(axis=-1).mean() < 0.4
    assert (unknown == 128).all(axis=-1).mean() > 0.6


@pytest.mark.parametrize("size", [(1, 1), (3, 300), (200, 20)])
def test_photo_of_any_size_with_many_classes(size):
    names = tuple(f"a class with a long name {i}" for i in range(200))
    labels = np.random.default_rng(0).integers(0, 200, size)
    picture = draw_label_map(gray(*size), map_of(labels, names))
    assert picture.shape[1] == size[1]
    assert np.array_equal(tint_classes(gray(*size), np.zeros(size, np.uint8), NAMES), gray(*size))


def test_photo_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"photo: expected uint8 \(5, 4, 3\)"):
        draw_label_map(gray(4, 5), map_of(np.zeros((5, 4))))


def test_legend_of_a_comparison_lists_the_classes_of_both_sides(blocks):
    color = np.array(rgb(PALETTE[0]))  # of the first class after the background, which only the labels show
    pair = draw_label_map_comparison(gray(90, 120), blocks.copy(), map_of(blocks * 0))
    legend = pair[side_by_side(gray(90, 120), gray(90, 120), captions=("", "")).shape[0] :]
    assert (legend == color).all(axis=-1).any()

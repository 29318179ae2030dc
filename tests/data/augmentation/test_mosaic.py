"""Mosaics: every quadrant shows a part of its photo, and the labels follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from boxmask.data.augmentation.detection import DetectionAugmentation
from boxmask.data.augmentation.mosaic import DetectionMosaic, SegmentationMosaic, sample_quadrants
from boxmask.data.augmentation.scene import PADDING_GRAY, shift_target
from boxmask.data.augmentation.segmentation import SegmentationAugmentation
from boxmask.masks import Masks
from boxmask.types import IGNORED, SegmentationTarget, Target

SIZES = [(60, 90), (90, 60), (45, 45), (100, 120)]
LEVELS = (0, 60, 190, 250)  # the gray of each photo
BOX_MOSAIC = DetectionMosaic(DetectionAugmentation(vertical_flip=0.5, color_jitter=0.0))
MAP_MOSAIC = SegmentationMosaic(SegmentationAugmentation(vertical_flip=0.5, color_jitter=0.0))


def photo(number: int, box: tuple[int, int, int, int] = (10, 15, 40, 40)) -> tuple[Tensor, Target]:
    """A photo with one red object; its label and the gray around it tell which photo it is."""
    image = torch.full((3, *SIZES[number]), LEVELS[number], dtype=torch.uint8)
    x1, y1, x2, y2 = box
    image[:, y1:y2, x1:x2] = torch.tensor([255, 0, 0], dtype=torch.uint8)[:, None, None]
    mask = np.zeros((1, *SIZES[number]), dtype=bool)
    mask[0, y1:y2, x1:x2] = True
    bare = Target.of([box], [number])
    return image, Target(bare.boxes, bare.labels, bare.ignore, Masks.from_dense(mask))


@settings(max_examples=60, deadline=None)
@given(size=st.tuples(st.integers(1, 60), st.integers(1, 60)), seed=st.integers(0, 2**32))
def test_quadrants_cover_every_pixel_once(size: tuple[int, int], seed: int) -> None:
    times = np.zeros(size, dtype=int)
    for quadrant in sample_quadrants(size, np.random.default_rng(seed)):
        height, width = quadrant.size
        times[quadrant.top : quadrant.top + height, quadrant.left : quadrant.left + width] += 1
    assert (times == 1).all()


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_boxes_and_masks_lie_on_the_objects(seed: int) -> None:
    image, target = BOX_MOSAIC([photo(number) for number in range(4)], np.random.default_rng(seed))
    assert image.shape == (3, 60, 90)
    assert target.masks is not None
    assert target.masks.size == (60, 90)
    assert len(target.labels.unique()) == len(target.labels) <= 4
    is_red = (image[0].int() - image[1].int()).numpy() > 127
    shown = np.zeros((60, 90), dtype=bool)
    for box, mask in zip(target.boxes, target.masks.dense(), strict=True):
        x1, y1, x2, y2 = box.tolist()
        assert 0 <= x1 < x2 <= 90
        assert 0 <= y1 < y2 <= 60
        shown |= mask
        if mask.any() and min(x2 - x1, y2 - y1) >= 2:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert np.abs(np.array(tight) - box.numpy()).max() <= 1.5
    assert np.mean(is_red != shown) < 0.03  # only pixels at rims, which are mixed


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mostly_cropped_objects_are_ignored(seed: int) -> None:
    mosaic = DetectionMosaic(DetectionAugmentation(color_jitter=0.0, min_visible=1.0))
    _, target = mosaic([photo(number) for number in range(4)], np.random.default_rng(seed))
    for box, label, ignored in zip(target.boxes, target.labels, target.ignore, strict=True):
        width, height = (box[2:] - box[:2]).tolist()
        if not ignored:
            assert width / height == pytest.approx(30 / 25, rel=0.1)
        assert int(label) in range(4)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), tile=st.sampled_from([0, 48]))
def test_label_maps_follow_the_photos(seed: int, tile: int) -> None:
    photos = []
    for number, size in enumerate(SIZES):
        image = torch.full((3, *size), LEVELS[number], dtype=torch.uint8)
        photos.append((image, SegmentationTarget(torch.full(size, number, dtype=torch.uint8))))
    mosaic = SegmentationMosaic(SegmentationAugmentation(vertical_flip=0.5, color_jitter=0.0, tile=tile))
    image, target = mosaic(photos, np.random.default_rng(seed))
    assert target.labels.shape == image.shape[1:] == ((tile, tile) if tile else (60, 90))
    for number, level in enumerate(LEVELS):
        assert torch.equal(target.labels == number, image[0] == level)
    assert torch.equal(target.labels == IGNORED, image[0] == PADDING_GRAY)


def test_photos_without_objects() -> None:
    bare = torch.zeros(3, 40, 50, dtype=torch.uint8), Target.of([], [])
    image, target = BOX_MOSAIC([bare] * 4, np.random.default_rng(0))
    assert image.shape == (3, 40, 50)
    assert target.boxes.shape == (0, 4)
    assert target.masks is None


def test_slivers_that_vanish_in_their_place_are_dropped() -> None:
    """In float32, 200 + 1e-6 is 200: a sliver at the edge of its quadrant has no width in the mosaic."""
    target = Target.of([[0, 10, 1e-6, 20], [5, 10, 15, 20]], [0, 1])
    shifted = shift_target(target, 200, 0, (480, 640))
    assert shifted.boxes.tolist() == [[205, 10, 215, 20]]
    assert shifted.labels.tolist() == [1]


def test_the_photos_are_unchanged() -> None:
    photos = [photo(number) for number in range(4)]
    before = [image.clone() for image, _ in photos]
    maps = [(image, SegmentationTarget(image[0].clone())) for image, _ in photos]
    for seed in range(10):
        BOX_MOSAIC(photos, np.random.default_rng(seed))
        MAP_MOSAIC(maps, np.random.default_rng(seed))
    assert all(torch.equal(image, old) for (image, _), old in zip(photos, before, strict=True))
    assert all(torch.equal(target.labels, old[0]) for (_, target), old in zip(maps, before, strict=True))

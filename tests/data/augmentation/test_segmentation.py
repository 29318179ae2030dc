"""Photos and label maps change together, and labels are never mixed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from boxmask.data.augmentation.scene import PADDING_GRAY
from boxmask.data.augmentation.segmentation import (
    SegmentationAugmentation,
    SideCrop,
    resize_segmentation_photo,
)
from boxmask.errors import UsageError
from boxmask.pipeline.images import resized_size
from boxmask.types import IGNORED, SegmentationTarget

SIZE = (60, 90)
STILL = SegmentationAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0)
EVERYTHING = SegmentationAugmentation(vertical_flip=0.5, color_jitter=1.0)
CHANGES = {
    "flip": SegmentationAugmentation(flip=1.0, scale=(1.0, 1.0), color_jitter=0.0),
    "vertical flip": SegmentationAugmentation(
        flip=0.0, vertical_flip=1.0, scale=(1.0, 1.0), color_jitter=0.0
    ),
    "smaller": SegmentationAugmentation(scale=(0.4, 0.9), color_jitter=0.0),
    "larger": SegmentationAugmentation(scale=(1.1, 2.5), color_jitter=0.0),
    "all": SegmentationAugmentation(vertical_flip=0.5, color_jitter=0.0),
    "tile": SegmentationAugmentation(vertical_flip=0.5, color_jitter=0.0, tile=48),
    "tile beyond the photo": SegmentationAugmentation(scale=(0.7, 1.3), color_jitter=0.0, tile=80),
}
# Labels and their grays: no padding gray among them.
GRAYS = torch.tensor([0, 60, 200, 255], dtype=torch.uint8)


def painted(size: tuple[int, int] = SIZE) -> tuple[Tensor, SegmentationTarget]:
    """A photo of four gray fields, each the gray of its label."""
    labels = torch.zeros(size, dtype=torch.uint8)
    labels[: size[0] // 2, size[1] // 3 :] = 1
    labels[size[0] // 2 :, : size[1] // 2] = 2
    labels[size[0] // 4 : size[0] // 2, size[1] // 2 :] = 3
    return GRAYS[labels.long()].expand(3, *size).contiguous(), SegmentationTarget(labels)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("seed", range(8))
def test_labels_move_with_the_photo(name: str, seed: int) -> None:
    """Away from the borders between fields, where the photo is smoothed, every gray has its label."""
    image, target = CHANGES[name](*painted(), np.random.default_rng(seed))
    labels, gray = target.labels, image[0]
    assert image.shape[-2:] == labels.shape
    assert torch.equal(image[0], image[2])
    inside = labels != IGNORED
    assert (gray[~inside] == PADDING_GRAY).all()
    fitting = torch.zeros_like(labels, dtype=torch.bool)
    fitting[inside] = GRAYS[labels[inside].long()] == gray[inside]
    assert fitting[inside].float().mean() > 0.8
    assert set(labels.unique().tolist()) <= {0, 1, 2, 3, IGNORED}


@pytest.mark.parametrize("name", CHANGES)
def test_the_size_is_that_of_the_photo_or_of_the_tile(name: str) -> None:
    tile = CHANGES[name].tile
    for seed in range(5):
        image, target = CHANGES[name](*painted(), np.random.default_rng(seed))
        assert image.dtype == torch.uint8
        assert target.labels.shape == ((tile, tile) if tile else SIZE)


def test_flips_are_exact() -> None:
    image, target = painted()
    for name, axis in (("flip", -1), ("vertical flip", -2)):
        changed, labels = CHANGES[name](image, target, np.random.default_rng(0))
        assert torch.equal(changed, image.flip(axis))
        assert torch.equal(labels.labels, target.labels.flip(axis))


def test_without_augmentation_the_photo_is_copied() -> None:
    image, target = painted()
    copy, labels = STILL(image, target, np.random.default_rng(0))
    assert torch.equal(copy, image)
    assert torch.equal(labels.labels, target.labels)
    copy.zero_()
    labels.labels.zero_()
    assert image.any()
    assert target.labels.any()


def test_a_tile_owns_its_memory_and_has_the_resolution_of_the_photo() -> None:
    rows, columns = torch.meshgrid(torch.arange(60), torch.arange(90), indexing="ij")
    image = torch.stack([rows, columns, rows + columns]).to(torch.uint8)
    target = SegmentationTarget((rows * 7 + columns).remainder(250).to(torch.uint8))
    cut = SegmentationAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0, tile=16)
    corners = set()
    for seed in range(20):
        tile, labels = cut(image, target, np.random.default_rng(seed))
        y, x = tile[:2, 0, 0].tolist()
        assert torch.equal(tile, image[:, y : y + 16, x : x + 16])
        assert torch.equal(labels.labels, target.labels[y : y + 16, x : x + 16])
        corners.add((y, x))
        tile.zero_()
        labels.labels.zero_()
    assert len(corners) > 15
    assert image.any()


def test_a_photo_smaller_than_the_tile_is_kept_whole() -> None:
    cut = SegmentationAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0, tile=100)
    image, target = cut(*painted(), np.random.default_rng(3))
    inside = target.labels != IGNORED
    assert int(inside.sum()) == SIZE[0] * SIZE[1]
    assert torch.equal(target.labels[inside].reshape(SIZE), painted()[1].labels)
    assert torch.equal(image[0][inside].reshape(SIZE), painted()[0][0])


def test_color_jitter_does_not_change_the_padding() -> None:
    dim = SegmentationAugmentation(scale=(0.5, 0.5), color_jitter=1.0)
    for seed in range(5):
        image, target = dim(*painted(), np.random.default_rng(seed))
        assert (image[:, target.labels == IGNORED] == PADDING_GRAY).all()
        assert (target.labels == IGNORED).float().mean() == pytest.approx(0.75)


def test_ignored_pixels_stay_ignored() -> None:
    image, target = painted()
    nothing = SegmentationTarget(torch.full_like(target.labels, IGNORED))
    for seed in range(5):
        assert (EVERYTHING(image, nothing, np.random.default_rng(seed))[1].labels == IGNORED).all()


def test_the_same_generator_gives_the_same_photo() -> None:
    results = [EVERYTHING(*painted(), np.random.default_rng(4)) for _ in range(2)]
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1].labels, results[1][1].labels)
    other = EVERYTHING(*painted(), np.random.default_rng(5))
    assert not torch.equal(results[0][0], other[0])


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.sampled_from([0, 1, 7, 64]),
    scale=st.floats(0.1, 8.0),
    seed=st.integers(0, 99),
)
def test_any_size_even_one_pixel(height: int, width: int, tile: int, scale: float, seed: int) -> None:
    augmentation = SegmentationAugmentation(
        scale=(scale, scale), color_jitter=1.0, vertical_flip=0.5, tile=tile
    )
    image, target = augmentation(*painted((height, width)), np.random.default_rng(seed))
    size = (tile, tile) if tile else (height, width)
    assert image.shape == (3, *size)
    assert target.labels.shape == size
    assert (target.labels != IGNORED).any()


@settings(max_examples=100, deadline=None)
@given(
    side=st.integers(1, 500), result=st.integers(1, 500), scale=st.floats(0.1, 8), position=st.floats(0, 1)
)
def test_the_crop_of_a_side_fits(side: int, result: int, scale: float, position: float) -> None:
    crop = SideCrop.from_scale(side, result, scale, position)
    assert 0 <= crop.begin < crop.end <= side
    assert 0 <= crop.before <= crop.before + crop.inner <= result
    assert (crop.end - crop.begin == side) or (crop.inner == result)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"flip": 1.5}, "flip is 1.5"),
        ({"vertical_flip": -1}, "vertical_flip is -1"),
        ({"color_jitter": float("nan")}, "color_jitter is nan"),
        ({"scale": (2.0, 1.0)}, r"scale is \(2.0, 1.0\)"),
        ({"scale": (0.0, 1.0)}, r"scale is \(0.0, 1.0\)"),
        ({"tile": -1}, "tile is -1"),
    ],
)
def test_invalid_settings_are_refused(settings_: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SegmentationAugmentation(**settings_)


# ---------------------------------------------------------------- resizing


@pytest.mark.parametrize(("shorter", "longer"), [(30, 100), (120, 1000), (50, 60), (1, 1), (7, 300)])
def test_resized_labels_are_those_under_the_new_centers(shorter: int, longer: int) -> None:
    image, target = painted()
    photo, small = resize_segmentation_photo(image, target, shorter, longer)
    height, width = resized_size(SIZE, shorter, longer)
    assert photo.shape == (3, height, width)
    for y in range(height):
        for x in range(width):
            old = target.labels[int((y + 0.5) * SIZE[0] / height), int((x + 0.5) * SIZE[1] / width)]
            assert small.labels[y, x] == old


def test_a_photo_of_the_right_size_is_unchanged() -> None:
    image, target = painted()
    photo, same = resize_segmentation_photo(image, target, 60, 90)
    assert photo is image
    assert torch.equal(same.labels, target.labels)


def test_invalid_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="shorter side 50, longer side 40"):
        resize_segmentation_photo(*painted(), 50, 40)

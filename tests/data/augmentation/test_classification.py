"""Photos with a class are augmented like photos with boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from boxmask.data.augmentation.classification import ClassificationAugmentation, resize_classification_photo
from boxmask.data.augmentation.scene import PADDING_GRAY
from boxmask.errors import UsageError
from boxmask.types import ClassificationTarget

TARGET = ClassificationTarget(3)
STILL = ClassificationAugmentation(flip=0.0, scale=(1.0, 1.0), color_jitter=0.0)
PHOTO = torch.randint(0, 256, (3, 40, 60), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_seed_gives_the_same_photo(seed: int) -> None:
    change = ClassificationAugmentation(vertical_flip=0.5, color_jitter=1.0)
    before = PHOTO.clone()
    first, label = change(PHOTO, TARGET, np.random.default_rng(seed))
    again, _ = change(PHOTO, TARGET, np.random.default_rng(seed))
    assert torch.equal(first, again)
    assert not torch.equal(first, change(PHOTO, TARGET, np.random.default_rng(seed + 100))[0])
    assert (first.shape, first.dtype, label) == (PHOTO.shape, torch.uint8, TARGET)
    assert torch.equal(PHOTO, before)


def test_without_augmentation_the_photo_is_copied() -> None:
    changed, _ = STILL(PHOTO, TARGET, np.random.default_rng(0))
    assert torch.equal(changed, PHOTO)
    assert changed.data_ptr() != PHOTO.data_ptr()


def test_horizontal_flip() -> None:
    mirror = ClassificationAugmentation(flip=1.0, scale=(1.0, 1.0), color_jitter=0.0)
    assert torch.equal(mirror(PHOTO, TARGET, np.random.default_rng(0))[0], PHOTO.flip(2))


def test_scale_jitter_crops_and_pads() -> None:
    smaller = ClassificationAugmentation(0.0, 0.0, (0.5, 0.5), 0.0)(PHOTO, TARGET, np.random.default_rng(0))[
        0
    ]
    assert int((smaller == PADDING_GRAY).all(dim=0).sum()) >= 40 * 60 * 3 // 4
    stripes = torch.arange(60, dtype=torch.uint8).expand(3, 40, 60)
    larger = ClassificationAugmentation(0.0, 0.0, (2.0, 2.0), 0.0)(stripes, TARGET, np.random.default_rng(0))[
        0
    ]
    assert int(larger.max()) - int(larger.min()) <= 31


@pytest.mark.parametrize("numbers", [{"flip": 1.5}, {"color_jitter": -0.1}, {"scale": (2.0, 1.0)}])
def test_invalid_settings_are_refused(numbers: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="augmentation"):
        ClassificationAugmentation(**numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((40, 60), (128, 192)), ((300, 100), (192, 64)), ((1, 1), (192, 192)), ((2000, 3), (192, 1))],
)
def test_photos_are_fitted_into_the_square(size: tuple[int, int], expected: tuple[int, int]) -> None:
    image, target = resize_classification_photo(torch.zeros(3, *size, dtype=torch.uint8), TARGET, 192, 192)
    assert image.shape == (3, *expected)
    assert target == TARGET

"""The first segmentation against scikit-image's, and the color spaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import color
from skimage.segmentation import felzenszwalb

from boxmask.kernels.selective_search.segmentation import STEP, merge_regions, sort_edges, weigh_edges
from boxmask.pipeline.selective_search.hierarchies import in_color_space

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")


def ours(planes: NDArray[np.float32], scale: float, smallest: int) -> NDArray[np.int32]:
    shape = planes.shape[1:]
    return merge_regions(*sort_edges(weigh_edges(planes), *shape), shape, float(scale), smallest)


def theirs(planes: NDArray[np.float32], scale: float, smallest: int) -> NDArray[np.int64]:
    """Without blurring: theirs is in float64 and ours in float32."""
    image = planes.transpose(1, 2, 0).astype(np.float64) / 255
    return felzenszwalb(image, scale=scale, sigma=0, min_size=smallest, channel_axis=-1)


def same_partition(a: NDArray[np.int32], b: NDArray[np.int64]) -> bool:
    pairs = len(np.unique(np.stack([a.ravel(), b.ravel()]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


def all_different(seed: int) -> NDArray[np.float32] | None:
    """A picture whose weights are whole steps, no two alike; None where chance would have it otherwise."""
    values = np.random.default_rng(seed).integers(0, 255 / STEP, (9, 9))
    planes = (values * STEP).astype(np.float32)[None]
    return planes if len(np.unique(weights := weigh_edges(planes))) == len(weights) else None


@pytest.mark.parametrize(("scale", "smallest"), [(1.3, 1), (100, 1), (400, 5), (2000, 12)])
def test_the_same_partition_where_no_two_weights_are_equal(scale: float, smallest: int) -> None:
    pictures = [planes for seed in range(40) if (planes := all_different(seed)) is not None]
    assert len(pictures) > 5
    for planes in pictures:
        assert same_partition(ours(planes, scale, smallest), theirs(planes, scale, smallest))


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize(("scale", "smallest"), [(50, 50), (150, 20), (300, 300)])
def test_nearly_the_same_partition_of_photos(shared_data: Path, name: str, scale: int, smallest: int) -> None:
    """Weights of one step are taken in another order than theirs, and one early join may change others."""
    photo = Image.open(shared_data / name).convert("RGB").resize((300, 225), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).random((225, 300, 3))  # so that theirs has no equal weights
    planes = (np.asarray(photo) + noise).astype(np.float32).transpose(2, 0, 1).copy()
    a, b = ours(planes, scale, smallest), theirs(planes, scale, smallest)
    assert covered(a, b) > 0.75  # one piece of plasma more or less; 0.97 to 1 elsewhere
    assert a.max() == pytest.approx(b.max(), rel=0.05)


def covered(a: NDArray[np.int32], b: NDArray[np.int64]) -> float:
    """The IoU of each region of a with its best in b, averaged over the pixels."""
    common = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(common, (a.ravel(), b.ravel()), 1)
    sizes = common.sum(axis=1)
    overlaps = common / (sizes[:, None] + common.sum(axis=0) - common)
    return float(overlaps.max(axis=1) @ sizes / sizes.sum())


def test_color_spaces_are_those_of_scikit_image() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    picture[:, :5] = np.arange(40, dtype=np.uint8)[:, None, None] * 6  # grays
    hsv, lab = (in_color_space(picture, space).transpose(1, 2, 0) for space in ("hsv", "lab"))
    np.testing.assert_allclose(hsv, color.rgb2hsv(picture) * 255, atol=1e-3)
    np.testing.assert_allclose(lab, color.rgb2lab(picture) * [2.55, 1, 1] + [0, 128, 128], atol=0.05)

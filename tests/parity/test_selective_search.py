"""The first segmentation against scikit-image's, and the colour spaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import color
from skimage.segmentation import felzenszwalb

from boxmask.kernels.segmentation_loops import count_edges, join_regions, sort_edges, weigh_edges
from boxmask.pipeline.selective_search import in_colour_space

PHOTOS = ("bccd/JPEGImages/BloodImage_00007.jpg", "raccoon/images/raccoon-20.jpg")


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = len(np.unique(np.stack([a.ravel(), b.ravel()]), axis=1).T)
    return pairs == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize(("scale", "smallest"), [(50, 50), (150, 20), (1, 1)])
def test_the_same_partition_as_scikit_image(shared_data: Path, name: str, scale: int, smallest: int) -> None:
    """On smoothed photos without blurring of its own: theirs blurs in float64 and ours in float32."""
    photo = Image.open(shared_data / name).convert("RGB").resize((200, 150), Image.Resampling.BICUBIC)
    noise = (
        np.random.default_rng(0).random((150, 200, 3)).astype(np.float32)
    )  # so that no two edges are equal
    image = np.asarray(photo).astype(np.float32) + noise
    count = count_edges(150, 200)
    weights, ends = np.empty(count), np.empty((count, 2), np.int32)
    weigh_edges(image, weights, ends)
    ours = join_regions(weights, ends, sort_edges(weights), 150 * 200, float(scale), smallest)
    theirs = felzenszwalb(
        image.astype(np.float64) / 255, scale=scale, sigma=0, min_size=smallest, channel_axis=-1
    )
    assert same_partition(ours.reshape(150, 200), theirs)


def test_colour_spaces_are_those_of_scikit_image() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    picture[:, :5] = np.arange(40, dtype=np.uint8)[:, None, None] * 6  # greys
    np.testing.assert_allclose(in_colour_space(picture, "hsv"), color.rgb2hsv(picture) * 255, atol=1e-3)
    lab = color.rgb2lab(picture) * [2.55, 1, 1] + [0, 128, 128]
    np.testing.assert_allclose(in_colour_space(picture, "lab"), lab, atol=0.05)

"""Large photos in tiles: every pixel is covered, without seams, in little memory."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.pipeline.images import Preparation
from boxmask.pipeline.segmentation.tiling import check_tiling, predict_tiled, tile_starts, tile_weights

NO_RESIZE = Preparation(0, 0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple_of=8)


@pytest.mark.parametrize("side", [1, 63, 64, 65, 100, 128, 500, 4000])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.9])
def test_tiles_cover_a_side_and_overlap(side: int, overlap: float) -> None:
    found = tile_starts(side, 64, overlap)
    assert found[0] == 0
    assert found[-1] == max(0, side - 64)
    steps = [b - a for a, b in pairwise(found)]
    assert all(0 < step <= max(1, 64 * (1 - overlap)) + 1 for step in steps)


def test_tiles_of_one_pixel() -> None:
    assert tile_starts(3, 1, 0.5) == [0, 1, 2]


def test_tile_weights_are_smooth_and_never_zero() -> None:
    weights = tile_weights((64, 48))
    assert weights.shape == (64, 48)
    assert weights.min() > 0
    assert weights.max() == pytest.approx(1, abs=0.01)
    assert weights.diff(dim=0).abs().max() < 0.06
    torch.testing.assert_close(weights, weights.flip(0, 1))


def by_color(pixels: Tensor) -> Tensor:
    """The colors serve as logits."""
    return pixels


@pytest.mark.parametrize("size", [(1, 1), (1, 100), (30, 30), (64, 64), (65, 64), (150, 97)])
def test_a_network_of_single_pixels_gives_the_same_in_tiles(size: tuple[int, int]) -> None:
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    found = predict_tiled(photo, by_color, NO_RESIZE, 3, 64, 0.25)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), photo.argmax(0))


def test_the_middle_of_a_tile_counts_more_than_its_edge() -> None:
    """Overlapping tiles correct a network that is wrong at the edges of its input."""

    def wrong_at_edges(pixels: Tensor) -> Tensor:
        logits = torch.zeros(len(pixels), 2, *pixels.shape[2:])
        logits[:, 1] = 5.0
        logits[:, 1, 8:-8, 8:-8] = -5.0
        return logits

    found = predict_tiled(torch.zeros(3, 300, 300), wrong_at_edges, NO_RESIZE, 2, 64, 0.5)
    assert not found[8:-8, 8:-8].any()
    assert found[:8].all()


def test_the_border_between_contradicting_tiles_is_halfway_and_straight() -> None:
    calls = []

    def alternating(pixels: Tensor) -> Tensor:
        logits = torch.zeros(len(pixels), 2, *pixels.shape[2:])
        for index in range(len(pixels)):
            logits[index, len(calls) % 2] = 1.0
            calls.append(1)
        return logits

    found = predict_tiled(torch.zeros(3, 64, 96), alternating, NO_RESIZE, 2, 64, 0.5)
    assert len(calls) == 2
    assert not found[:, :48].any()
    assert found[:, 48:].all()


def test_only_a_band_of_a_tall_photo_is_held() -> None:
    """Memory cannot be traced in torch, so the shapes that the network receives are checked."""
    photo, seen = torch.zeros(3, 6000, 200, dtype=torch.uint8), []

    def record(pixels: Tensor) -> Tensor:
        seen.append(tuple(pixels.shape))
        return torch.zeros(len(pixels), 20, *pixels.shape[2:])

    assert predict_tiled(photo, record, NO_RESIZE, 20, 128, 0.25).shape == (6000, 200)
    assert set(seen) == {(2, 3, 128, 128)}


@pytest.mark.parametrize(("tile", "overlap"), [(-1, 0.2), (64, 1.0), (64, -0.1)])
def test_tiles_and_overlaps_out_of_range(tile: int, overlap: float) -> None:
    with pytest.raises(UsageError, match=r"tile: expected a side|tile_overlap: expected a fraction"):
        check_tiling(tile, overlap)

"""Large photos in tiles: all pixels, no seams, little memory."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from boxmask.errors import UsageError
from boxmask.pipeline.images import Preparation
from boxmask.pipeline.segmentation.tiling import check_tiling, label_in_tiles, places, window

AS_THEY_ARE = Preparation(0, 0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), multiple_of=8)


@pytest.mark.parametrize("side", [1, 63, 64, 65, 100, 128, 500, 4000])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.9])
def test_tiles_cover_a_side_and_overlap(side: int, overlap: float) -> None:
    found = places(side, 64, overlap)
    assert found[0] == 0
    assert found[-1] == max(0, side - 64)
    steps = [b - a for a, b in pairwise(found)]
    assert all(0 < step <= max(1, 64 * (1 - overlap)) + 1 for step in steps)


def test_tiles_of_one_pixel() -> None:
    assert places(3, 1, 0.5) == [0, 1, 2]


def test_the_window_is_smooth_and_nowhere_nothing() -> None:
    weight = window((64, 48))
    assert weight.shape == (64, 48)
    assert weight.min() > 0
    assert weight.max() == pytest.approx(1, abs=0.01)
    assert weight.diff(dim=0).abs().max() < 0.06
    torch.testing.assert_close(weight, weight.flip(0, 1))


def by_color(pixels: Tensor) -> Tensor:
    """Logits: the colors themselves."""
    return pixels


@pytest.mark.parametrize("size", [(1, 1), (1, 100), (30, 30), (64, 64), (65, 64), (150, 97)])
def test_a_network_that_sees_single_pixels_sees_the_same_in_tiles(size: tuple[int, int]) -> None:
    photo = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    found = label_in_tiles(photo, by_color, AS_THEY_ARE, 3, 64, 0.25)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), photo.argmax(0))


def test_the_middle_of_a_tile_counts_more_than_a_rim() -> None:
    """A network that is wrong at the rims of what it sees: between overlapping tiles, it is put right."""

    def wrong_at_rims(pixels: Tensor) -> Tensor:
        logits = torch.zeros(len(pixels), 2, *pixels.shape[2:])
        logits[:, 1] = 5.0
        logits[:, 1, 8:-8, 8:-8] = -5.0
        return logits

    found = label_in_tiles(torch.zeros(3, 300, 300), wrong_at_rims, AS_THEY_ARE, 2, 64, 0.5)
    assert not found[8:-8, 8:-8].any()
    assert found[:8].all()


def test_neighbors_meet_without_a_step() -> None:
    """Tiles that contradict each other: between their middles the border lies half way, and is straight."""
    calls = []

    def one_after_the_other(pixels: Tensor) -> Tensor:
        logits = torch.zeros(len(pixels), 2, *pixels.shape[2:])
        for number in range(len(pixels)):
            logits[number, len(calls) % 2] = 1.0
            calls.append(1)
        return logits

    found = label_in_tiles(torch.zeros(3, 64, 96), one_after_the_other, AS_THEY_ARE, 2, 64, 0.5)
    assert len(calls) == 2
    assert not found[:, :48].any()
    assert found[:, 48:].all()


def test_only_a_band_of_a_high_photo_is_held() -> None:
    """torch's memory is not traced; the tensors that a network is given, and their number, are counted."""
    photo, seen = torch.zeros(3, 6000, 200, dtype=torch.uint8), []

    def look(pixels: Tensor) -> Tensor:
        seen.append(tuple(pixels.shape))
        return torch.zeros(len(pixels), 20, *pixels.shape[2:])

    assert label_in_tiles(photo, look, AS_THEY_ARE, 20, 128, 0.25).shape == (6000, 200)
    assert set(seen) == {(2, 3, 128, 128)}


@pytest.mark.parametrize(("tile", "overlap"), [(-1, 0.2), (64, 1.0), (64, -0.1)])
def test_numbers_that_cannot_be_meant(tile: int, overlap: float) -> None:
    with pytest.raises(UsageError, match=r"tile: expected a side|tile_overlap: expected a part"):
        check_tiling(tile, overlap)

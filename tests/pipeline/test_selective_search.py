from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from boxmask.errors import UsageError
from boxmask.pipeline.selective_search import (
    MODES,
    SelectiveSearchConfig,
    hierarchies,
    ordered,
    searched,
    selective_search,
)

SMALL = replace(MODES["fast"], width=120, smallest_side=8)


def photo(height: int = 90, width: int = 120) -> NDArray[np.uint8]:
    """Two coloured things on a noisy ground."""
    rng = np.random.default_rng(0)
    picture = rng.integers(90, 120, (height, width, 3)).astype(np.uint8)
    picture[20:60, 15:50] = (200, 30, 30)
    picture[40:80, 70:110] = (20, 60, 210)
    return picture


def test_finds_what_stands_out() -> None:
    boxes = selective_search(photo(), SMALL)
    for wanted in ([15, 20, 50, 60], [70, 40, 110, 80]):
        assert (boxes - torch.tensor(wanted)).abs().amax(1).min() <= 1


def test_boxes_lie_in_the_photo_in_its_own_pixels_and_are_all_different() -> None:
    large = np.repeat(np.repeat(photo(), 3, axis=0), 3, axis=1)
    boxes = selective_search(large, SMALL)
    assert boxes.dtype == torch.float32
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= torch.tensor([360.0, 270.0])).all()
    assert (boxes[:, 2:] - boxes[:, :2] >= 24).all()  # 8 pixels of the searched picture
    assert len(boxes.unique(dim=0)) == len(boxes)
    assert (boxes - torch.tensor([45.0, 60, 150, 180])).abs().amax(1).min() <= 3


def test_the_seed_decides_the_order_and_nothing_else() -> None:
    one, again, other = (selective_search(photo(), replace(SMALL, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert {tuple(row) for row in one.tolist()} == {tuple(row) for row in other.tolist()}


def test_the_same_with_any_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(selective_search(photo(), SMALL))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_the_limit_takes_the_first_in_order() -> None:
    everything = selective_search(photo(), SMALL)
    assert torch.equal(selective_search(photo(), replace(SMALL, limit=7)), everything[:7])


def test_modes_are_the_papers() -> None:
    assert {name: config.strategies for name, config in MODES.items()} == {
        "single": 1,
        "fast": 8,
        "quality": 80,
    }
    assert (
        len(hierarchies(photo(), replace(SMALL, colour_spaces=("rgi", "h", "i"), similarities=("F", "S"))))
        == 12
    )


def test_order_is_the_rank_times_a_seeded_number_and_duplicates_go() -> None:
    tops = np.array([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 9, 9]], np.int32)
    found = ordered([tops, tops[2:]], seed=3)
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, tops.tolist()))
    draws = np.random.default_rng(3)
    ranks = [*(np.array([3, 2, 1]) * draws.random(3)), *(1 * draws.random(1))]
    best = {
        tuple(row): min(r for r, other in zip(ranks, [*tops, tops[2]], strict=True) if (other == row).all())
        for row in tops
    }
    assert [tuple(row) for row in found.tolist()] == sorted(best, key=best.__getitem__)


def test_a_hierarchy_ends_with_the_whole_picture() -> None:
    for one in hierarchies(photo(), SMALL):
        regions = int(one.labels.max()) + 1
        assert len(one.boxes) == regions + len(one.merges) == 2 * regions - 1
        assert one.boxes[-1].tolist() == [0, 0, 120, 90]


def test_one_flat_colour_is_one_box() -> None:
    flat = np.full((50, 80, 3), 77, np.uint8)
    assert selective_search(flat).tolist() == [[0, 0, 80, 50]]


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (40, 800), (800, 40), (3000, 10)])
def test_odd_sizes_give_boxes_and_no_crash(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    boxes = selective_search(picture, SMALL)
    assert len(boxes)
    assert (boxes[:, 2:] <= torch.tensor([size[1], size[0]]) + 1e-3).all()


def test_tall_photos_are_searched_at_a_bounded_height() -> None:
    assert searched(np.zeros((4000, 100, 3), np.uint8), SelectiveSearchConfig()).shape == (1500, 38, 3)
    assert searched(np.zeros((300, 1000, 3), np.uint8), SelectiveSearchConfig()).shape == (150, 500, 3)


def test_anything_but_a_photo_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\(H, W, 3\) uint8"):
        selective_search(np.zeros((4, 4), np.uint8))

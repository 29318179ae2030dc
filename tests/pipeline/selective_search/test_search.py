from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from boxmask.errors import PhotoError, UsageError
from boxmask.geometry.boxes import iou
from boxmask.pipeline.selective_search.search import (
    MODES,
    PAPER_MODES,
    Mode,
    SelectiveSearchConfig,
    drop_duplicates,
    hierarchies,
    rank_boxes,
    resize_for_search,
    selective_search,
)

SMALL = replace(MODES["fast"], width=120, min_height=20)


def photo(height: int = 90, width: int = 120) -> NDArray[np.uint8]:
    """Two colored things on a noisy ground."""
    rng = np.random.default_rng(0)
    picture = rng.integers(90, 120, (height, width, 3)).astype(np.uint8)
    picture[20:60, 15:50] = (200, 30, 30)
    picture[40:80, 70:110] = (20, 60, 210)
    return picture


def test_finds_objects_that_stand_out() -> None:
    boxes = selective_search(photo(), SMALL)
    for wanted in ([15, 20, 50, 60], [70, 40, 110, 80]):
        assert (boxes - torch.tensor(wanted)).abs().amax(1).min() <= 1


def test_boxes_are_distinct_and_in_pixels_of_the_photo() -> None:
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
    assert torch.equal(one, selective_search(photo(), replace(SMALL, seed=5), seed=0))
    assert not torch.equal(one, other)
    every = [
        selective_search(photo(), replace(SMALL, seed=seed, duplicate_iou=1.0, max_boxes=None))
        for seed in (0, 1)
    ]
    assert not torch.equal(*every)
    assert len({frozenset(map(tuple, boxes.tolist())) for boxes in every}) == 1


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


def test_max_boxes_keeps_the_first_in_order() -> None:
    everything = selective_search(photo(), SMALL)
    assert torch.equal(selective_search(photo(), replace(SMALL, max_boxes=7)), everything[:7])


def test_near_duplicates_are_dropped() -> None:
    boxes = selective_search(photo(), replace(SMALL, max_boxes=None))
    everything = selective_search(photo(), replace(SMALL, max_boxes=None, duplicate_iou=1.0))
    assert len(boxes) < len(everything)
    assert iou(boxes, boxes).fill_diagonal_(0).max() <= SMALL.duplicate_iou
    assert (
        (iou(everything, boxes).amax(1) > SMALL.duplicate_iou)
        .logical_or((everything[:, None] == boxes).all(2).any(1))
        .all()
    )


def test_the_papers_settings() -> None:
    strategies = {name: config.strategies for name, config in PAPER_MODES.items()}
    assert strategies == {"single": 1, "fast": 8, "quality": 80}
    for config in PAPER_MODES.values():
        assert (config.min_box_size, config.min_random_factor, config.duplicate_iou, config.max_boxes) == (
            20,
            0.0,
            1.0,
            None,
        )
    boxes = selective_search(photo(), replace(PAPER_MODES["fast"], width=120))
    assert ((boxes[:, 2:] - boxes[:, :2]) >= 20).all()


def test_every_space_scale_and_similarity_is_a_strategy() -> None:
    config = replace(SMALL, color_spaces=("rgi", "h", "i"), similarities=("F", "S"), scales=(50, 100))
    names = [one.strategy for one in hierarchies(photo(), config)]
    assert len(names) == len(set(names)) == config.strategies == 12
    assert names[:4] == ["rgi F k=50", "rgi S k=50", "rgi F k=100", "rgi S k=100"]


def test_order_is_the_rank_times_a_random_number_without_repeats() -> None:
    tops = np.array([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 9, 9]], np.int32)
    found = rank_boxes([tops, tops[2:]], seed=3)  # draws in 0..1, as in the paper
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


def test_a_higher_min_random_factor_keeps_the_order_closer_to_the_hierarchy() -> None:
    tops = np.array([[0, 0, side, side] for side in range(1, 60)], np.int32)
    assert rank_boxes([tops], 0, 1.0)[:, 2].tolist() == list(range(59, 0, -1))
    displaced = [np.abs(np.diff(rank_boxes([tops], 0, least)[:, 2])).sum() for least in (0.0, 0.5, 1.0)]
    assert displaced[0] > displaced[1] > displaced[2]


def test_dropping_near_duplicates_can_be_switched_off() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 9]], np.int32)
    assert drop_duplicates(boxes, 1.0, None).tolist() == boxes.tolist()
    assert drop_duplicates(boxes, 1.0, 2).tolist() == boxes[:2].tolist()
    assert drop_duplicates(boxes, 0.85, None).tolist() == boxes[:1].tolist()


@pytest.mark.parametrize("mode", MODES)
def test_one_flat_color_is_one_box(mode: Mode) -> None:
    flat = np.full((50, 80, 3), 77, np.uint8)
    assert selective_search(flat, mode=mode).tolist() == [[0, 0, 80, 50]]


@pytest.mark.parametrize("config", [SMALL, replace(PAPER_MODES["fast"], width=120)])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (40, 800), (800, 40), (3000, 10), (10, 3000)])
def test_odd_sizes_give_boxes_and_no_crash(size: tuple[int, int], config: SelectiveSearchConfig) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    boxes = selective_search(picture, config)
    assert len(boxes)
    assert (boxes[:, 2:] <= torch.tensor([size[1], size[0]]) + 1e-3).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_a_picture_smaller_than_a_region_is_one_box() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 6, 3)).astype(np.uint8)
    assert selective_search(picture, replace(SMALL, width=6)).tolist() == [[0, 0, 6, 5]]


@pytest.mark.parametrize("size", [(200, 4000), (4000, 200), (4000, 4000)])
def test_large_photos_and_panoramas_are_searched_at_a_bounded_size(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    picture[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] = (200, 40, 40)
    height, width, _ = resize_for_search(picture, MODES["single"]).shape
    assert width <= 3000
    assert 150 <= height <= 1500
    assert height * width <= 500 * 1500
    wanted = torch.tensor([size[1] / 4, size[0] / 4, size[1] / 2, size[0] / 2])
    found = selective_search(picture, mode="single")
    assert iou(found, wanted[None]).max() > 0.8


def test_tall_photos_are_searched_at_a_bounded_height() -> None:
    assert resize_for_search(np.zeros((4000, 100, 3), np.uint8), SelectiveSearchConfig()).shape == (
        1500,
        38,
        3,
    )
    assert resize_for_search(np.zeros((300, 1000, 3), np.uint8), SelectiveSearchConfig()).shape == (
        150,
        500,
        3,
    )


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((200, 4000), (150, 3000)),  # at 500 it would be 25 pixels high
        ((100, 2000), (100, 2000)),  # never larger than it is for that
        ((30, 9000), (10, 3000)),
        ((30, 100), (150, 500)),
    ],
)
def test_panoramas_are_not_searched_as_lines(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert resize_for_search(np.zeros((*size, 3), np.uint8), SelectiveSearchConfig()).shape == (*wanted, 3)


def test_a_photo_in_any_form(tmp_path: Path) -> None:
    array = photo()
    wanted = selective_search(array, SMALL)
    Image.fromarray(array).save(tmp_path / "photo.png")
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    for form in (tmp_path / "photo.png", Image.fromarray(array), tensor, tensor / 255):
        assert torch.equal(selective_search(form, SMALL), wanted)


def test_grayscale_has_three_equal_channels() -> None:
    gray = photo()[:, :, 0]
    assert torch.equal(selective_search(gray, SMALL), selective_search(np.stack([gray] * 3, axis=2), SMALL))


def test_other_arrays_are_refused() -> None:
    for wrong in (np.zeros((4, 4, 2), np.uint8), np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(PhotoError, match=r"\(H, W, 3\)"):
            selective_search(wrong)
    with pytest.raises(UsageError, match="single, fast, quality"):
        selective_search(photo(), mode="slow")  # type: ignore[arg-type]

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boxmask.pipeline.selective_search.search import MODES, Hierarchy
from boxmask.visualization.proposals import draw_hierarchy, fill_with_mean_colors, regions_at

FIRST_REGIONS = np.array([[0, 0, 1], [2, 3, 3]], np.int32)
MERGES = np.array([[0, 2], [1, 3], [4, 5]], np.int32)
HIERARCHY = Hierarchy("hsv F k=1", FIRST_REGIONS, np.zeros((7, 4), np.int32), MERGES)


def merged(regions: np.ndarray) -> set[frozenset[int]]:
    """The sets of first regions that have become one region."""
    return {frozenset(FIRST_REGIONS[regions == region].tolist()) for region in np.unique(regions)}


def test_regions_at_a_count_undo_the_last_merges() -> None:
    assert merged(regions_at(HIERARCHY, 9)) == {frozenset([region]) for region in range(4)}
    assert merged(regions_at(HIERARCHY, 3)) == {frozenset([0, 2]), frozenset([1]), frozenset([3])}
    assert merged(regions_at(HIERARCHY, 2)) == {frozenset([0, 2]), frozenset([1, 3])}
    assert merged(regions_at(HIERARCHY, 1)) == {frozenset(range(4))}


def test_regions_are_filled_with_their_mean_color() -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    filled = fill_with_mean_colors(picture, regions_at(HIERARCHY, 4))
    assert filled[0, 0].tolist() == filled[0, 1].tolist() == [2, 2, 4]  # rounded half to even
    assert filled[1, 0].tolist() == picture[1, 0].tolist()


def test_a_hierarchy_is_drawn_from_its_first_regions_to_the_last() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    config = replace(MODES["single"], width=80)
    pictures = draw_hierarchy(photo, config)
    assert {picture.shape for picture in pictures.values()} == {(60, 80, 3)}
    assert [caption.split(": ")[1] for caption in pictures][-3:] == ["64 regions", "16 regions", "4 regions"]
    counts = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in pictures.values()]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= 4

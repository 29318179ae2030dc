"""Which objects of overlapping tiles are the same."""

from __future__ import annotations

import numpy as np
import pytest

from boxmask.masks import Masks
from boxmask.prediction.tiles.merging import merge_objects
from boxmask.prediction.tiles.objects import TileObjects
from boxmask.types import Detections

SIZE = (100, 180)
LEFT, RIGHT, WHOLE = (0, 0, 100, 100), (80, 0, 180, 100), (0, 0, 180, 100)
NAMES = ("cat", "dog")

Found = tuple[tuple[int, int, int, int], tuple[float, float, float, float], float, int]


def merge(*found: Found) -> Detections:
    """Merge objects, each given as its window, its box in the photo, its score and its label."""
    windows, boxes, scores, labels = (list(values) for values in zip(*found, strict=True))
    tiles = [[LEFT, RIGHT, WHOLE].index(window) for window in windows]
    return merge_objects(
        TileObjects(
            np.array(boxes, dtype=np.float64),
            np.array(scores, dtype=np.float32),
            np.array(labels, dtype=np.int64),
            np.array(tiles),
            np.array(windows, dtype=np.int64),
            SIZE,
            None,
        ),
        NAMES,
    )


def test_an_object_that_two_tiles_show_is_kept_once_with_the_higher_score() -> None:
    found = merge((LEFT, (82, 10, 96, 30), 0.7, 0), (RIGHT, (83, 10, 97, 31), 0.8, 0))
    assert found.boxes.tolist() == [[83, 10, 97, 31]]
    assert found.scores.tolist() == [np.float32(0.8)]


def test_two_pieces_become_one_box() -> None:
    found = merge((LEFT, (60, 10, 100, 50), 0.7, 0), (RIGHT, (80, 12, 140, 51), 0.6, 0))
    assert found.boxes.tolist() == [[60, 10, 140, 51]]
    assert found.scores.tolist() == [np.float32(0.7)]


def test_of_a_whole_object_and_its_piece_the_whole_one_is_kept() -> None:
    found = merge((LEFT, (60, 10, 100, 50), 0.9, 0), (WHOLE, (62, 8, 143, 52), 0.4, 0))
    assert found.boxes.tolist() == [[62, 8, 143, 52]]


def test_a_badly_placed_piece_belongs_to_the_object_around_it() -> None:
    found = merge((LEFT, (70, 10, 130, 60), 0.9, 0), (RIGHT, (80, 40, 90, 60), 0.4, 0))
    assert found.boxes.tolist() == [[70, 10, 130, 60]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((81, 10, 97, 60), (86, 10, 102, 60)),  # half of each covers the other; no edge is near
        ((82, 20, 97, 40), (85, 25, 92, 32)),  # one inside the other
    ],
    ids=["side-by-side", "nested"],
)
def test_objects_that_overlap_stay_two(
    first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> None:
    """Each tile shows both, so each of the four has its partner in the other tile."""
    found = merge(*((tile, box, 0.9, 0) for tile in (LEFT, WHOLE) for box in (first, second)))
    assert len(found) == 2


def test_objects_of_other_classes_or_of_one_tile_stay() -> None:
    box = (82, 10, 96, 30)
    assert len(merge((LEFT, box, 0.7, 0), (RIGHT, box, 0.8, 1))) == 2
    assert len(merge((LEFT, box, 0.7, 0), (LEFT, box, 0.8, 0))) == 2


def test_of_two_candidates_the_better_one_is_joined() -> None:
    near, far = (82, 10, 96, 30), (82, 10, 97, 44)
    found = merge((LEFT, near, 0.7, 0), (LEFT, far, 0.6, 0), (RIGHT, near, 0.9, 0))
    assert found.boxes.tolist() == [list(near), list(far)]


def test_masks_of_pieces_are_joined_and_those_of_whole_objects_kept() -> None:
    left = np.zeros((2, *SIZE), dtype=bool)
    left[0, 10:50, 60:100] = True  # a piece
    left[1, 80:90, 5:20] = True
    right = np.zeros((1, *SIZE), dtype=bool)
    right[0, 20:50, 80:140] = True  # its other piece, with fewer pixels in the area of both
    masks = Masks.from_dense(np.concatenate([left, right]))
    objects = TileObjects(
        masks.boxes().astype(np.float64),
        np.array([0.5, 0.9, 0.6], dtype=np.float32),
        np.zeros(3, dtype=np.int64),
        np.array([0, 0, 1]),
        np.array([LEFT, LEFT, RIGHT]),
        SIZE,
        masks,
    )
    found = merge_objects(objects, NAMES)
    assert found.masks is not None
    assert (found.masks.dense() == np.stack([left[1], left[0] | right[0]])).all()


def test_nothing_is_merged_to_nothing() -> None:
    empty = Detections(
        np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), NAMES, (100, 100)
    )
    objects = TileObjects.of([empty, empty], np.array([LEFT, RIGHT]), SIZE)
    assert len(merge_objects(objects, NAMES)) == 0

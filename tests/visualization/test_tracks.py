from __future__ import annotations

import numpy as np
import pytest

from boxmask.masks import Masks
from boxmask.types import Detections
from boxmask.visualization.style import distinct_color, rgb
from boxmask.visualization.tracks import draw_tracks

SIZE = (120, 160)
BOXES = ((20, 40, 60, 80), (90, 40, 130, 80))


def detections(scores: tuple[float, float] = (0.9, 0.8), masks: Masks | None = None) -> Detections:
    boxes, labels = np.array(BOXES, np.float32), np.zeros(2, np.int64)
    return Detections(boxes, np.array(scores, np.float32), labels, ("cat",), SIZE, masks)


def gray() -> np.ndarray:
    return np.full((*SIZE, 3), 120, np.uint8)


def edge_colors(picture: np.ndarray) -> list[tuple[int, ...]]:
    """The color at the left edge of both boxes."""
    return [tuple(picture[60, x1].tolist()) for x1, *_ in BOXES]


def test_a_track_has_its_color_whatever_its_place_in_the_list() -> None:
    first = draw_tracks(gray(), detections(), np.array([3, 7]))
    assert edge_colors(first) == [rgb(distinct_color(2)), rgb(distinct_color(6))]
    second = draw_tracks(gray(), detections(), np.array([7, 3]))
    assert edge_colors(second) == [rgb(distinct_color(6)), rgb(distinct_color(2))]


def test_objects_without_a_track_are_white_and_without_tracking_have_the_color_of_their_class() -> None:
    assert edge_colors(draw_tracks(gray(), detections(), np.array([0, 1])))[0] == (255, 255, 255)
    assert edge_colors(draw_tracks(gray(), detections(), None)) == [rgb(distinct_color(0))] * 2


def test_masks_are_tinted_in_the_color_of_their_track() -> None:
    dense = np.zeros((2, *SIZE), dtype=bool)
    dense[0, 45:75, 25:55] = True  # the second is unknown
    picture = draw_tracks(gray(), detections(masks=Masks.from_dense(dense)), np.array([1, 2]))
    assert tuple(picture[45, 40].tolist()) == rgb(distinct_color(0))
    assert tuple(picture[60, 40].tolist()) not in {(120, 120, 120), rgb(distinct_color(0))}
    assert edge_colors(picture) == [(120, 120, 120), rgb(distinct_color(1))], "a box only without a mask"


def test_letters_do_not_change_with_scores_and_other_objects() -> None:
    both = draw_tracks(gray(), detections((0.9, 0.8)), np.array([1, 2]))
    other = draw_tracks(gray(), detections((0.7, 0.6)), np.array([1, 2]))
    np.testing.assert_array_equal(both, other)
    alone = draw_tracks(gray(), detections()[:1], np.array([1]))
    np.testing.assert_array_equal(both[:, :70], alone[:, :70])


def test_the_frame_is_kept_and_nothing_found_is_nothing_drawn() -> None:
    frame = gray()
    empty = detections()[np.zeros(2, dtype=bool)]
    np.testing.assert_array_equal(draw_tracks(frame, empty, np.zeros(0, np.int64)), gray())
    with pytest.raises(ValueError, match="photo"):
        draw_tracks(np.zeros((5, 5, 3), np.uint8), detections(), None)

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.prediction.tracking.byte_track import ByteTracker, Track, iou

MIN_SCORES = np.array([0.5, 0.5])
SECOND = 30  # frames


def boxes_at(*corners: tuple[float, float], side: float = 20) -> np.ndarray:
    """Square boxes by their upper left corners."""
    return np.array([[x, y, x + side, y + side] for x, y in corners], dtype=np.float32).reshape(-1, 4)


def follow(tracker: ByteTracker, *frames: Any, start: int = 0) -> list[list[int]]:
    """The numbers of the tracks, once all frames are seen: each frame is (boxes, scores, labels)."""
    tracks: list[list[Track | None]] = []
    for number, (boxes, scores, labels) in enumerate(frames, start):
        found = tracker.update(boxes, np.array(scores, np.float32), np.array(labels, np.int64), number / 30)
        tracks.append(found)
    return [[0 if track is None else track.number for track in found] for found in tracks]


def test_iou_of_worked_boxes() -> None:
    a = np.array([[0.0, 0, 10, 10], [0, 0, 0, 0]])
    b = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]])
    np.testing.assert_allclose(iou(a, b), [[1, 1 / 3, 0], [0, 0, 0]])


def test_an_object_keeps_its_number_and_a_single_detection_has_none() -> None:
    moving = [(boxes_at((3 * n, 0)), [0.9], [0]) for n in range(4)]
    moving[2] = (boxes_at((6, 0), (200, 200)), [0.9, 0.8], [0, 1])
    assert follow(ByteTracker(MIN_SCORES), *moving) == [[1], [1], [1, 0], [1]]


def test_a_low_score_continues_a_track_and_never_starts_one() -> None:
    frames = [(boxes_at((0, 0), (100, 0)), scores, [0, 0]) for scores in ([0.9, 0.3], [0.9, 0.3], [0.2, 0.3])]
    assert follow(ByteTracker(MIN_SCORES), *frames) == [[1, 0], [1, 0], [1, 0]]


def test_scores_below_a_tenth_are_ignored() -> None:
    frames = [(boxes_at((0, 0)), [score], [0]) for score in (0.9, 0.9, 0.09)]
    assert follow(ByteTracker(MIN_SCORES), *frames) == [[1], [1], [0]]


def test_a_track_has_one_class() -> None:
    frames = [(boxes_at((0, 0)), [0.9], [label]) for label in (0, 0, 1, 1)]
    assert follow(ByteTracker(MIN_SCORES), *frames) == [[1], [1], [2], [2]]


def test_each_class_has_its_minimum_score() -> None:
    frames = [(boxes_at((0, 0), (100, 0)), [0.6, 0.6], [0, 1])] * 2
    assert follow(ByteTracker(np.array([0.5, 0.7])), *frames) == [[1, 0], [1, 0]]


@pytest.mark.parametrize(("missing", "number"), [(SECOND - 2, 1), (SECOND + 2, 2)])
def test_a_lost_object_is_found_again_within_a_second(missing: int, number: int) -> None:
    here, nothing = (boxes_at((50, 50)), [0.9], [0]), (boxes_at(), [], [])
    numbers = follow(ByteTracker(MIN_SCORES), here, here, *[nothing] * missing, here, here)
    assert numbers[-1] == [number]


def test_objects_that_cross_keep_their_numbers() -> None:
    frames = []
    for n in range(60):
        both = boxes_at((4 * n, 0), (236 - 4 * n, 4))
        is_hidden = iou(both[:1].astype(float), both[1:].astype(float))[0, 0] > 0.4
        frames.append((both[:1], [0.9], [0]) if is_hidden else (both, [0.9, 0.8], [0, 0]))
    numbers = follow(ByteTracker(MIN_SCORES), *frames)
    assert min(map(len, numbers)) == 1, "nothing was hidden"
    assert [row for row in numbers if len(row) == 2] == [[1, 2]] * sum(len(row) == 2 for row in numbers)


@pytest.mark.parametrize(("every", "changes"), [(1, 0), (2, 1), (3, 1)])
def test_300_noisy_frames_keep_the_numbers_on_their_objects(
    moving_scene: Any, every: int, changes: int
) -> None:
    """At a half and a third of the frames, the object that turns round while it is missed gets a new one."""
    tracker = ByteTracker(MIN_SCORES, every / moving_scene.rate)
    seen: list[tuple[int, Track | None]] = []
    for number in range(0, 300, every):
        boxes, scores, labels, objects = moving_scene.noisy(number)
        seen += zip(objects, tracker.update(boxes, scores, labels, number / moving_scene.rate), strict=True)
    numbers: dict[int, set[int]] = defaultdict(set)
    for index, track in seen:
        if index >= 0 and track is not None and track.number:
            numbers[index].add(track.number)
    assert sorted(numbers) == list(range(len(moving_scene.shapes)))
    assert sum(len(found) - 1 for found in numbers.values()) <= changes, numbers
    assert len(set.union(*numbers.values())) == sum(map(len, numbers.values())), "two objects share a number"
    untracked = sum(track is None or not track.number for index, track in seen if index >= 0)
    assert untracked <= 0.01 * len(seen)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_no_two_detections_of_a_frame_have_one_track_and_their_order_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = ByteTracker(MIN_SCORES), ByteTracker(MIN_SCORES)
    pairs: list[tuple[Track | None, Track | None]] = []
    for number in range(12):
        count = int(random.integers(0, 8))
        corners = random.uniform(0, 60, (count, 2))
        boxes = np.hstack([corners, corners + random.uniform(0, 40, (count, 2))]).astype(np.float32)
        scores, labels = random.random(count).astype(np.float32), random.integers(0, 2, count)
        order = random.permutation(count)
        found = first.update(boxes, scores, labels, number / 30)
        shuffled = second.update(boxes[order], scores[order], labels[order], number / 30)
        tracks = [track for track in found if track is not None]
        assert len({id(track) for track in tracks}) == len(tracks)
        pairs += [(found[row], shuffled[place]) for place, row in enumerate(order)]
    names: dict[int, int] = {}
    for one, two in pairs:
        assert (one is None) == (two is None)
        if one is not None and two is not None:
            assert names.setdefault(id(one), id(two)) == id(two)
            assert bool(one.number) == bool(two.number)

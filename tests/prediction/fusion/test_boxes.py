"""Weighted boxes fusion: numbers computed by hand, and what holds for any detections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxmask.masks import Masks
from boxmask.prediction.fusion.boxes import _ious, fuse_detections
from boxmask.prediction.fusion.class_names import JoinedClasses
from boxmask.types import Detections

SIZE = (100, 200)


def detections(
    *rows: tuple[tuple[float, float, float, float], float, str], names: tuple[str, ...] = ("cat", "dog")
) -> Detections:
    """Detections from their boxes, scores and names."""
    boxes = np.array([box for box, _, _ in rows], dtype=np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in rows], dtype=np.float32)
    labels = np.array([names.index(name) for _, _, name in rows], dtype=np.int64)
    return Detections(boxes, scores, labels, names, SIZE)


def fuse(*found: Detections, limit: int = 100) -> Detections:
    return fuse_detections(found, JoinedClasses.of([view.class_names for view in found]), limit)


def rows_of(found: Detections) -> list[tuple[list[float], float, str]]:
    return [
        ([round(edge, 3) for edge in box], round(score, 4), name)
        for box, score, name in zip(found.boxes.tolist(), found.scores.tolist(), found.names, strict=True)
    ]


def test_boxes_are_averaged_by_their_scores_and_scores_over_the_views() -> None:
    found = fuse(detections(((10, 10, 50, 50), 0.9, "cat")), detections(((14, 10, 54, 50), 0.3, "cat")))
    assert rows_of(found) == [([11, 10, 51, 50], 0.6, "cat")]


def test_an_object_that_few_views_find_gets_a_low_score() -> None:
    found = fuse(detections(((10, 10, 50, 50), 0.8, "cat")), *[detections()] * 3)
    assert rows_of(found) == [([10, 10, 50, 50], 0.2, "cat")]


def test_boxes_of_one_view_are_not_fused() -> None:
    twice = detections(((10, 10, 50, 50), 0.8, "cat"), ((10, 10, 50, 49), 0.8, "cat"))
    assert rows_of(fuse(twice, detections(((10, 10, 50, 50), 0.6, "cat")))) == [
        ([10, 10, 50, 50], 0.7, "cat"),
        ([10, 10, 50, 49], 0.4, "cat"),
    ]


def test_boxes_of_other_classes_or_places_stay_apart() -> None:
    found = fuse(
        detections(((10, 10, 50, 50), 0.8, "cat"), ((100, 10, 150, 50), 0.6, "dog")),
        detections(((10, 10, 50, 50), 0.4, "dog")),
    )
    assert [name for _, _, name in rows_of(found)] == ["cat", "dog", "dog"]


def test_a_class_that_one_model_knows_keeps_its_scores() -> None:
    first = detections(((10, 10, 50, 50), 0.8, "cat"), ((60, 10, 90, 50), 0.75, "owl"), names=("owl", "cat"))
    second = detections(((10, 10, 50, 50), 0.6, "cat"), names=("cat", "dog"))
    found = fuse(first, second)
    assert found.class_names == ("owl", "cat", "dog")
    assert rows_of(found) == [([60, 10, 90, 50], 0.75, "owl"), ([10, 10, 50, 50], 0.7, "cat")]


def test_class_names_match_in_any_unicode_form() -> None:
    joined = JoinedClasses.of([("über", "cat"), ("cat ", "u\u0308ber")])
    assert joined.names == ("über", "cat")
    assert [labels.tolist() for labels in joined.labels] == [[0, 1], [1, 0]]
    assert joined.known.all()


def test_boxes_without_area_are_dropped(recwarn: pytest.WarningsRecorder) -> None:
    assert len(fuse(detections(((10, 10, 10, 50), 0.8, "cat")), detections())) == 0
    assert len(recwarn) == 0


def test_the_limit_keeps_the_highest_scores() -> None:
    many = detections(*(((10 * n, 0, 10 * n + 9, 9), 0.9 - 0.01 * n, "cat") for n in range(20)))
    assert len(fuse(many, many, limit=7)) == 7
    assert fuse(many, many, limit=7).scores.min() > 0.83


def test_masks_are_averaged_and_missing_ones_do_not_count() -> None:
    dense = np.zeros((3, *SIZE), dtype=bool)
    dense[0, 10:50, 10:50] = dense[1, 10:50, 10:46] = dense[2, 14:50, 10:50] = True
    masks = [Masks.from_dense(mask[None]) for mask in dense]
    views = [
        Detections(mask.boxes(), np.array([0.5], np.float32), np.array([0]), ("cat",), SIZE, mask)
        for mask in masks
    ]
    found = fuse(*views)
    assert found.masks is not None
    assert (found.masks.dense()[0] == (dense.sum(axis=0) >= 2)).all()
    unknown = Detections(
        views[1].boxes, views[1].scores, views[1].labels, ("cat",), SIZE, Masks.unknown(1, SIZE)
    )
    found = fuse(views[0], unknown)
    assert found.masks is not None
    assert (found.masks.dense()[0] == dense[0]).all()


@st.composite
def some_detections(draw: st.DrawFn) -> Detections:
    rows = []
    for _ in range(draw(st.integers(0, 8))):
        x, y = draw(st.floats(0, 190)), draw(st.floats(0, 90))
        width, height = draw(st.floats(0, 200 - x)), draw(st.floats(0, 100 - y))
        name = draw(st.sampled_from(["cat", "dog"]))
        rows.append(((x, y, x + width, y + height), draw(st.floats(0, 1)), name))
    return detections(*sorted(rows, key=lambda row: -row[1]))


@settings(max_examples=100, deadline=None)
@given(views=st.lists(some_detections(), min_size=1, max_size=4))
@pytest.mark.filterwarnings("error")
def test_fused_detections_are_sound(views: list[Detections]) -> None:
    found = fuse(*views)
    assert np.isfinite(found.boxes).all()
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [200, 100, 200, 100]).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert len(found) <= sum(map(len, views))


def without_overlaps(found: Detections) -> Detections:
    """What NMS would leave, so that the reference fuses no two boxes of one view."""
    names = np.array(found.names)
    kept: list[int] = []
    for row in range(len(found)):
        same = [other for other in kept if names[other] == names[row]]
        if not (_ious(found.boxes[row].astype(np.float64), found.boxes[same].astype(np.float64)) > 0.2).any():
            kept.append(row)
    return found[kept]


@settings(max_examples=100, deadline=None)
@given(views=st.lists(some_detections(), min_size=2, max_size=2))
def test_without_overlaps_in_a_view_the_reference_gives_the_same(views: list[Detections]) -> None:
    reference = pytest.importorskip("ensemble_boxes").weighted_boxes_fusion
    views = [
        view[(view.scores > 0.01) & (view.boxes[:, 2:] - view.boxes[:, :2] > 0.1).all(axis=1)]
        for view in views
    ]
    views = [without_overlaps(view) for view in views]
    boxes = [view.boxes.astype(np.float64) / (200, 100, 200, 100) for view in views]
    expected = reference(
        boxes, [view.scores for view in views], [view.labels for view in views], iou_thr=0.55
    )
    found = fuse(*views)
    if len(np.unique(np.concatenate([view.scores for view in views]))) < sum(map(len, views)):
        return  # the reference takes equal scores in any order
    assert len(found) == len(expected[0])
    np.testing.assert_allclose(np.sort(found.scores), np.sort(expected[1]), atol=1e-5)
    np.testing.assert_allclose(
        np.sort(found.boxes, axis=0), np.sort(expected[0] * (200, 100, 200, 100), axis=0), atol=1e-2
    )

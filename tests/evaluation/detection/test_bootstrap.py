import numpy as np
import pytest

from boxmask.evaluation.detection.bootstrap import ap_interval, class_matches, resampled_ap
from boxmask.evaluation.detection.coco import coco_metrics

A, B = (10, 10, 30, 30), (50, 50, 90, 90)
NOWHERE = (70, 5, 95, 20)


@pytest.fixture
def mixed(labeled, detected):
    """Thirty photos: found, missed, wrongly found, of two classes, with a crowd and a difficult object."""
    rng = np.random.default_rng(0)
    photos, found = [], []
    for i in range(30):
        name = "cat" if i % 3 else "dog"
        photos.append([(name, A), (name, B, *(["crowd"] if i == 4 else ["difficult"] if i == 5 else []))])
        scores = rng.permutation(np.linspace(0.2, 0.9, 90))[:3]  # no ties
        boxes = [A, B, NOWHERE] if i % 2 else [A, NOWHERE]
        shifted = [np.array(box) + rng.normal(0, 1.5, 4) for box in boxes]
        found.append(detected(*((name, s, b) for s, b in zip(scores, shifted, strict=False))))
    return labeled(*photos), found


def test_drawing_each_photo_once_gives_cocos_own_figures(mixed):
    dataset, found = mixed
    ap = resampled_ap(class_matches(dataset, found), np.ones((1, 30), dtype=np.int64))[0]
    figures = coco_metrics(dataset, found)
    assert ap.mean() == pytest.approx(figures.AP, abs=1e-9)
    assert [ap[0], ap[5]] == pytest.approx([figures.AP50, figures.AP75], abs=1e-9)


def test_a_draw_equals_the_figures_of_those_photos(mixed):
    """The photos drawn, written out with their repetitions as a data set of its own."""
    dataset, found = mixed
    draws = np.random.default_rng(1).multinomial(30, np.full(30, 1 / 30), size=8)
    ap = resampled_ap(class_matches(dataset, found), draws)
    for row, draw in zip(ap, draws, strict=True):
        photos = np.repeat(np.arange(30), draw)
        figures = coco_metrics(dataset.subset(photos), [found[i] for i in photos])
        assert row.mean() == pytest.approx(figures.AP, abs=1e-9)
        assert row[0] == pytest.approx(figures.AP50, abs=1e-9)


def test_photos_are_drawn_under_any_order_of_image_ids(mixed):
    dataset, found = mixed
    dataset.image_ids[:] = np.random.default_rng(2).permutation(30) * 7
    draw = np.zeros((1, 30), dtype=np.int64)
    draw[0, [1, 8]] = 15
    figures = coco_metrics(dataset.subset(np.array([1, 8])), [found[1], found[8]])
    assert resampled_ap(class_matches(dataset, found), draw)[0, 0] == pytest.approx(figures.AP50, abs=1e-9)


def test_it_holds_the_figure_and_follows_the_seed(mixed):
    dataset, found = mixed
    figures, interval = coco_metrics(dataset, found), ap_interval(dataset, found)
    assert interval.AP50[0] < figures.AP50 < interval.AP50[1]
    assert interval.AP[0] < figures.AP < interval.AP[1]
    assert interval.resamples == 1000
    assert ap_interval(dataset, found) == interval
    assert ap_interval(dataset, found, seed=1) != interval


def test_it_covers_the_truth_about_as_often_as_it_says(labeled, detected):
    """Objects are found with probability 0.6 and nothing else is: AP50 is 0.6 (0.6 of the recalls)."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(60):
        dataset = labeled(*([("cat", A)] for _ in range(60)))
        hits = rng.random(60) < 0.6
        found = [detected(("cat", 0.5, A)) if hit else detected() for hit in hits]
        low, high = ap_interval(dataset, found, resamples=200).AP50
        covered += low <= 0.6 <= high
    assert covered >= 51  # 0.95 of 60 is 57


def test_nothing_can_be_said(labeled, detected):
    assert ap_interval(labeled([("cat", A)]), [detected(("cat", 0.9, A))]) is None
    assert ap_interval(labeled([], []), [detected(), detected()]) is None


def test_draws_without_objects_do_not_count(labeled, detected):
    dataset = labeled([("cat", A)], [], [])
    interval = ap_interval(dataset, [detected(("cat", 0.9, A)), detected(), detected()], resamples=100)
    assert interval.AP50 == pytest.approx((1.0, 1.0))
    assert 0 < interval.resamples < 100

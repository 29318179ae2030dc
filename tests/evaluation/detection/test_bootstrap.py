import numpy as np
import pytest

from boxmask.evaluation.detection.bootstrap import ap_intervals
from boxmask.evaluation.detection.class_matches import class_matches, resampled_ap
from boxmask.evaluation.detection.coco import coco_metrics

A, B = (10, 10, 30, 30), (50, 50, 90, 90)
NOWHERE = (70, 5, 95, 20)


@pytest.fixture
def mixed(labeled, detected):
    """Thirty photos of two classes: correct, missed and wrong detections, a crowd and a difficult object."""
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


def test_every_photo_once_gives_cocos_metrics(mixed):
    dataset, found = mixed
    ap = resampled_ap(class_matches(dataset, found), np.ones((1, 30), dtype=np.int64))[0]
    metrics = coco_metrics(dataset, found)
    assert ap.mean() == pytest.approx(metrics.AP, abs=1e-9)
    assert [ap[0], ap[5]] == pytest.approx([metrics.AP50, metrics.AP75], abs=1e-9)


def test_resample_equals_the_metrics_of_its_photos(mixed):
    """The resampled photos, with repetitions, form a data set of their own."""
    dataset, found = mixed
    weights = np.random.default_rng(1).multinomial(30, np.full(30, 1 / 30), size=8)
    ap = resampled_ap(class_matches(dataset, found), weights)
    for row, weight in zip(ap, weights, strict=True):
        photos = np.repeat(np.arange(30), weight)
        metrics = coco_metrics(dataset.subset(photos), [found[i] for i in photos])
        assert row.mean() == pytest.approx(metrics.AP, abs=1e-9)
        assert row[0] == pytest.approx(metrics.AP50, abs=1e-9)


def test_resample_with_image_ids_in_any_order(mixed):
    dataset, found = mixed
    dataset.image_ids[:] = np.random.default_rng(2).permutation(30) * 7
    weight = np.zeros((1, 30), dtype=np.int64)
    weight[0, [1, 8]] = 15
    metrics = coco_metrics(dataset.subset(np.array([1, 8])), [found[1], found[8]])
    assert resampled_ap(class_matches(dataset, found), weight)[0, 0] == pytest.approx(metrics.AP50, abs=1e-9)


def test_interval_contains_the_metric_and_follows_the_seed(mixed):
    dataset, found = mixed
    metrics, intervals = coco_metrics(dataset, found), ap_intervals(dataset, found)
    assert intervals.AP50[0] < metrics.AP50 < intervals.AP50[1]
    assert intervals.AP[0] < metrics.AP < intervals.AP[1]
    assert intervals.resamples == 1000
    assert ap_intervals(dataset, found) == intervals
    assert ap_intervals(dataset, found, seed=1) != intervals


def test_interval_covers_the_truth_about_as_often_as_it_claims(labeled, detected):
    """Objects are found with probability 0.6, without wrong detections: AP50 is 0.6 (0.6 of the recalls)."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(60):
        dataset = labeled(*([("cat", A)] for _ in range(60)))
        hits = rng.random(60) < 0.6
        found = [detected(("cat", 0.5, A)) if hit else detected() for hit in hits]
        low, high = ap_intervals(dataset, found, resamples=200).AP50
        covered += low <= 0.6 <= high
    assert covered >= 51  # 0.95 of 60 is 57


def test_no_interval_for_one_photo_or_no_objects(labeled, detected):
    assert ap_intervals(labeled([("cat", A)]), [detected(("cat", 0.9, A))]) is None
    assert ap_intervals(labeled([], []), [detected(), detected()]) is None


def test_resamples_without_objects_do_not_count(labeled, detected):
    dataset = labeled([("cat", A)], [], [])
    intervals = ap_intervals(dataset, [detected(("cat", 0.9, A)), detected(), detected()], resamples=100)
    assert 0 < intervals.resamples < 100


def test_a_perfect_metric_has_an_interval(labeled, detected):
    """Photos on which all was found may be luck: fewer photos, longer interval."""
    lows = []
    for count in (2, 5, 40):
        dataset = labeled(*([("cat", A)] for _ in range(count)))
        intervals = ap_intervals(dataset, [detected(("cat", 0.9, A))] * count)
        assert intervals.AP50.high == 1.0
        lows.append(intervals.AP50.low)
    assert lows[0] < 0.2 < lows[1] < 0.6 < lows[2] < 0.99


def test_every_class_has_intervals(mixed):
    dataset, found = mixed
    per_class = coco_metrics(dataset, found).per_class
    intervals = ap_intervals(dataset, found)
    assert set(intervals.per_class) == {"cat", "dog"}
    for name, metrics in per_class.items():
        assert intervals.per_class[name]["AP"].low < metrics.AP < intervals.per_class[name]["AP"].high
    cat, dog = (intervals.per_class[name]["AP"] for name in ("cat", "dog"))
    assert dog.high - dog.low > cat.high - cat.low  # half as many photos


def test_photos_of_a_group_are_drawn_together(labeled, detected):
    """Copies of a photo tell nothing new: the interval is that of single photos, not narrower."""
    objects = [[("cat", A)], [("cat", A), ("cat", B)], [("cat", B)], [("cat", A)], [("dog", A)]]
    found = [detected(("cat", 0.9, A)), detected(("cat", 0.8, A)), detected(), detected(), detected()]
    single = ap_intervals(labeled(*objects), found)
    four_times = labeled(*objects * 4)
    grouped = ap_intervals(four_times, found * 4, groups=np.tile(np.arange(5), 4) * 7)
    apart = ap_intervals(four_times, found * 4)
    assert grouped.groups == single.groups == 5
    widths = [intervals.AP.high - intervals.AP.low for intervals in (single, grouped, apart)]
    assert widths[1] > 1.5 * widths[2]
    assert ap_intervals(four_times, found * 4, groups=np.zeros(20, dtype=np.int64)) is None

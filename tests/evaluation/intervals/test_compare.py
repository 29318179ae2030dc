from pathlib import Path

import numpy as np
import pytest

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.errors import LabelError
from boxmask.evaluation.detection.evaluate import evaluate_detections
from boxmask.evaluation.intervals.compare import compare_all_results, compare_results
from boxmask.evaluation.segmentation.evaluate import evaluate_label_maps
from boxmask.types import SegmentationMap

A, B = (10, 10, 30, 30), (50, 50, 90, 90)
NOWHERE = (70, 5, 95, 20)


@pytest.fixture
def models(labeled, detected):
    """Three models on thirty photos: good, as good with other mistakes, and bad."""
    random = np.random.default_rng(0)
    dataset = labeled(*([("cat", A), ("dog", B)] for _ in range(30)))

    def found(share):
        hits = random.random((30, 2)) < share
        boxes = [[("cat", 0.9, A)] * cat + [("dog", 0.8, B)] * dog for cat, dog in hits.tolist()]
        return [detected(*objects, ("cat", 0.3, NOWHERE)) for objects in boxes]

    return dataset, {"good": found(0.8), "as good": found(0.8), "bad": found(0.3)}


def test_differences_of_all_pairs(models):
    dataset, results = models
    pairs = compare_all_results(dataset, results)
    assert [(pair.first, pair.second) for pair in pairs] == [
        ("good", "as good"),
        ("good", "bad"),
        ("as good", "bad"),
    ]
    assert [pair.better for pair in pairs] == [None, "good", "as good"]
    ap = {name: evaluate_detections(dataset, found)["AP"] for name, found in results.items()}
    for pair in pairs:
        assert pair.difference == pytest.approx(ap[pair.first] - ap[pair.second], abs=1e-12)
        assert pair.interval.low < pair.difference < pair.interval.high


def test_p_values_of_several_pairs_are_corrected(models):
    dataset, results = models
    pair = compare_results(dataset, results["good"], results["bad"], names=("good", "bad"))
    corrected = compare_all_results(dataset, results)[1]
    assert corrected.p_value > pair.p_value
    assert corrected.interval == pair.interval


def test_a_pair_is_the_same_in_both_orders(models):
    dataset, results = models
    pair = compare_results(dataset, results["good"], results["bad"], metric="AP50")
    other = compare_results(dataset, results["bad"], results["good"], metric="AP50")
    assert other.interval == pytest.approx((-pair.interval.high, -pair.interval.low))
    assert other.p_value == pytest.approx(pair.p_value)


def test_a_model_does_not_differ_from_itself(models):
    dataset, results = models
    pair = compare_results(dataset, results["good"], results["good"], names=("a", "b"))
    assert pair.p_value == 1.0
    assert pair.describe().startswith("The difference between a and b may be chance (AP +0.000")


def test_photos_of_a_group_count_as_one(models):
    dataset, results = models
    apart = compare_results(dataset, results["good"], results["bad"])
    grouped = compare_results(dataset, results["good"], results["bad"], groups=np.arange(30) // 10)
    assert grouped.difference == apart.difference
    assert grouped.p_value > apart.p_value


def test_one_photo_is_too_few(labeled, detected):
    found = [detected(("cat", 0.9, A))]
    pair = compare_results(labeled([("cat", A)]), found, found, names=("a", "b"))
    assert (pair.interval, pair.p_value) == (None, None)
    assert pair.describe() == "There are too few photos to compare a and b."


def test_no_photos_are_an_error(labeled):
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        compare_results(labeled(), [], [])


def test_unknown_metrics_and_classes(models, detected):
    dataset, results = models
    with pytest.raises(KeyError, match="no metric 'mIoU'; metrics to compare: AP, AP50"):
        compare_results(dataset, results["good"], results["bad"], metric="mIoU")
    cats = [detected(("cat", 0.9, A), class_names=("cat",))] * 30
    with pytest.raises(LabelError, match='"dog"'):
        compare_results(dataset, results["good"], cats)


class Labels:
    def __init__(self, pictures):
        self.pictures = pictures

    def labels(self, photo):
        return self.pictures[photo]


def test_label_maps():
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, (20, 10, 10)).astype(np.uint8)
    names = ("road", "grass")
    dataset = SegmentationDataset(
        root=Path("fields"),
        class_names=names,
        files=np.array([f"{i}.jpg" for i in range(20)]),
        sizes=np.full((20, 2), 10, dtype=np.int32),
        splits=np.full(20, "test"),
        pixel_counts=np.full((20, 2), 50),
        source=Labels(truth),
    )

    def maps(share):
        wrong = random.random(truth.shape) < share
        return [SegmentationMap(picture, names) for picture in np.where(wrong, 1 - truth, truth)]

    good, bad = maps(0.1), maps(0.2)
    pair = compare_results(dataset, good, iter(bad), names=("good", "bad"))
    first, second = (evaluate_label_maps(dataset, found, names)["mIoU"] for found in (good, bad))
    assert pair.metric == "mIoU"
    assert pair.difference == pytest.approx(first - second)
    assert pair.better == "good"

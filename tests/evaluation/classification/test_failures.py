"""What the analysis of classifications holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from boxmask.data.classification.dataset import NO_CONTEXT, ClassificationDataset, crop_objects
from boxmask.errors import LabelError
from boxmask.evaluation.classification.failures import analyze_classifications
from boxmask.evaluation.failures.contract import FailureAnalysis
from boxmask.types import Classification

NAMES = ("cat", "dog")


@pytest.fixture
def items(labeled: Callable) -> Callable[..., ClassificationDataset]:
    """One photo per list of names."""

    def build(*photos: Sequence[str], names: tuple[str, ...] = NAMES) -> ClassificationDataset:
        objects = [[(name, (0, 0, 100, 100)) for name in photo] for photo in photos]
        return crop_objects(labeled(*objects, class_names=names), NO_CONTEXT)

    return build


def scores(cat: float, names: tuple[str, ...] = NAMES) -> Classification:
    return Classification(np.array([cat, 1 - cat], dtype=np.float32), names)


def test_suspect_labels_are_first(items: Callable) -> None:
    """Cats have a mean score of 0.8, and dogs of 0.66."""
    dataset = items(*[["cat"]] * 6, *[["dog"]] * 6)
    cats, dogs = [0.9, 0.9, 0.9, 0.9, 0.9, 0.3], [0.1, 0.2, 0.2, 0.2, 0.4, 0.94]
    failures = analyze_classifications(dataset, [scores(cat) for cat in cats + dogs])
    photos = failures.photos
    assert [photo.photo for photo in photos[:2]] == [11, 5]
    assert photos[0].suspicion == pytest.approx(0.94 - 0.06)
    assert photos[0].description == "labeled as dog, predicted as cat: score 0.94 against 0.06"
    assert photos[2].description == "labeled and predicted as cat: score 0.90"
    assert [photo.is_suspect for photo in photos[:3]] == [True, True, False]


def test_a_mistake_with_a_low_score_is_not_suspect(items: Callable) -> None:
    dataset = items(*[["cat"]] * 6, *[["dog"]] * 6)
    failures = analyze_classifications(dataset, [scores(0.9)] * 6 + [scores(0.1)] * 5 + [scores(0.6)])
    assert (failures.photos[0].file, failures.photos[0].is_suspect) == ("11.jpg", False)
    assert failures.photos[0].disagreement == pytest.approx(0.2)


def test_cells_know_their_items(items: Callable) -> None:
    dataset = items(["cat", "dog"], ["dog"])
    failures = analyze_classifications(dataset, [scores(0.9), scores(0.6), scores(0.7)])
    assert failures.confusion.unit == "objects"
    assert failures.confusion.counts.tolist() == [[1, 0], [2, 0]]
    cases = failures.confusion.cell("dog", "cat")
    assert [(case.photo, case.score) for case in cases] == [
        (2, pytest.approx(0.7)),
        (1, pytest.approx(0.6)),
    ]
    assert failures.files.tolist() == ["0.jpg", "0.jpg", "1.jpg"]


def test_calibration_is_that_of_the_predicted_classes(items: Callable) -> None:
    calibration = analyze_classifications(items(["cat"], ["dog"]), [scores(0.75), scores(0.75)]).calibration
    assert calibration is not None
    (score_bin,) = calibration.bins
    assert (score_bin.count, score_bin.share_correct, calibration.ECE) == (2, 0.5, 0.25)


def test_classes_that_only_one_side_knows(items: Callable) -> None:
    dataset = items(["cow"], ["dog"], names=("cow", "dog"))
    found = [scores(0.8, ("hen", "dog")), scores(0.8, ("hen", "dog"))]
    failures = analyze_classifications(dataset, found)
    assert failures.confusion.row_names == ("cow", "dog", "hen")
    assert failures.confusion.counts.tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert [photo.photo for photo in failures.photos] == [1]
    with pytest.raises(LabelError):
        analyze_classifications(items(["cow"], names=("cow",)), found[:1])


def test_the_dict_is_plain(items: Callable) -> None:
    analysis: FailureAnalysis = analyze_classifications(items(["cat"], ["dog"]), [scores(0.9)] * 2)
    document = json.loads(json.dumps(analysis.to_dict()))
    assert document["confusion"]["cells"][0]["cases"][0]["file"] == "1.jpg"
    assert document["photos"][0]["photo"] == 1

"""A classifier's figures: those of scikit-learn; intervals, classes by name, and the table."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from sklearn import metrics
from torch import Tensor

from boxmask.data.classification.dataset import NO_CONTEXT, ClassificationDataset, crop_objects
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import LabelError, PhotoError
from boxmask.evaluation.classification.evaluate import (
    ClassificationEvaluation,
    evaluate_classifications,
    evaluate_classifier,
    wilson_interval,
)
from boxmask.evaluation.classification.table import classification_table
from boxmask.types import Classification

NAMES = ("cat", "dog", "owl")
Labeled = Callable[..., DetectionDataset]


def answer(name: str, names: tuple[str, ...] = NAMES) -> Classification:
    """Nearly sure of `name`."""
    scores = torch.full((len(names),), 0.1 / max(1, len(names) - 1))
    scores[names.index(name)] = 0.9 if len(names) > 1 else 1.0
    return Classification(scores, names)


@pytest.fixture
def items(labeled: Labeled) -> Callable[..., ClassificationDataset]:
    """One photo for each name, shown whole; or several objects in each photo."""

    def build(*photos: str | Sequence[str], names: tuple[str, ...] = NAMES) -> ClassificationDataset:
        groups = [[photo] if isinstance(photo, str) else photo for photo in photos]
        objects = [[(name, (0, 0, 100, 100)) for name in group] for group in groups]
        return crop_objects(labeled(*objects, class_names=names), NO_CONTEXT)

    return build


Items = Callable[..., ClassificationDataset]


def judged(dataset: ClassificationDataset, taken: Sequence[str]) -> ClassificationEvaluation:
    return evaluate_classifications(dataset, [answer(name) for name in taken])


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("seed", range(5))
def test_figures_equal_scikit_learns(items: Items, seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.choice(NAMES, 60, p=[0.6, 0.3, 0.1])
    taken = np.where(generator.random(60) < 0.6, truth, generator.choice(NAMES, 60))
    found = judged(items(*truth.tolist()), taken.tolist())
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, taken))
    assert found.mean_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, taken))
    assert np.array_equal(found.confusion, metrics.confusion_matrix(truth, taken, labels=NAMES))
    precision, recall, _, support = metrics.precision_recall_fscore_support(truth, taken, labels=NAMES)
    figures = list(found.per_class.values())
    assert [one.images for one in figures] == support.tolist()
    assert [one.recall for one in figures] == pytest.approx(recall)
    assert [one.accuracy for one in figures] == pytest.approx(recall)
    assert [one.precision for one in figures] == pytest.approx(precision)


def test_where_there_is_nothing_to_measure(items: Items) -> None:
    found = judged(items("cat", "cat", "dog"), ["cat", "cat", "cat"])
    assert found.per_class["owl"].accuracy is found.per_class["owl"].precision is None
    assert found.per_class["dog"].accuracy == 0.0
    assert found.per_class["dog"].precision is None
    assert found.mean_accuracy == 0.5
    assert found.mistakes() == [("dog", "cat", 1)]


def test_json_holds_the_figures(items: Items) -> None:
    figures = judged(items("cat", "dog", "dog"), ["cat", "dog", "cat"]).to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert set(figures) >= {"accuracy", "mean_accuracy", "per_class", "confusion", "images", "notes"}
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["per_class"]["dog"] == {"accuracy": 0.5, "precision": 1.0, "recall": 0.5, "images": 2}
    assert figures["confusion"] == {
        "class_names": ["cat", "dog", "owl"],
        "counts": [[1, 0, 0], [1, 1, 0], [0, 0, 0]],
    }
    assert figures["accuracy_interval"][0] < 2 / 3 < figures["accuracy_interval"][1]
    assert figures["interval_confidence"] == 0.95


def test_no_interval_where_none_is_asked_for(items: Items) -> None:
    found = evaluate_classifications(items("cat"), [answer("cat")], interval=False)
    assert found.to_dict()["accuracy_interval"] is None
    assert found.to_dict()["interval_confidence"] is None


def test_classes_in_another_order_give_the_same_figures(items: Items) -> None:
    dataset, taken = items("cat", "dog", "owl", "owl"), ["cat", "cat", "owl", "dog"]
    swapped = evaluate_classifications(dataset, [answer(name, ("owl", "cat", "dog")) for name in taken])
    assert swapped.to_dict() == judged(dataset, taken).to_dict()


def test_a_class_that_only_the_classifier_knows(items: Items) -> None:
    dataset = items("cat", "dog", names=("cat", "dog"))
    found = evaluate_classifications(dataset, [answer("owl"), answer("dog")])
    assert found.class_names == NAMES
    assert found.confusion.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert found.per_class["owl"].images == 0
    assert (found.accuracy, found.mean_accuracy) == (0.5, 0.5)


def test_numbers_that_differ(items: Items) -> None:
    with pytest.raises(ValueError, match="expected 2, found 1"):
        evaluate_classifications(items("cat", "dog"), [answer("cat")])


# ---------------------------------------------------------------- interval


def alone(count: int) -> NDArray[np.int64]:
    return np.arange(count)


@pytest.mark.parametrize(
    ("right", "count", "expected"),
    [(8, 10, (0.4902, 0.9433)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (1, 1, (0.2065, 1.0))],
)
def test_wilsons_interval(right: int, count: int, expected: tuple[float, float]) -> None:
    """The tabulated ones, of independent items."""
    low, high = wilson_interval(np.arange(count) < right, alone(count))
    assert (low, high) == pytest.approx(expected, abs=1e-4)
    assert low <= right / count <= high


def test_objects_of_a_photo_that_fare_alike_count_less() -> None:
    right = np.repeat([True, True, True, False], 25)
    low, high = wilson_interval(right, np.repeat(np.arange(4), 25))
    assert high - low > 0.5  # four photos, whatever the number of objects
    low, high = wilson_interval(right, alone(100))
    assert high - low < 0.2


def test_where_all_are_right_each_photo_counts_once() -> None:
    assert wilson_interval(np.ones(100, bool), np.repeat(np.arange(4), 25)) == wilson_interval(
        np.ones(4, bool), alone(4)
    )
    assert wilson_interval(np.array([True, False]), np.array([7, 7]))[1] < 1


@pytest.mark.parametrize("objects", [1, 5])
def test_the_interval_covers_what_it_promises(objects: int) -> None:
    """Of many draws of 40 photos, about 95 % have the truth in their interval."""
    generator = np.random.default_rng(0)
    truth, covered, draws = 0.8, 0, 400
    for _ in range(draws):
        of_photo = generator.beta(4, 1, size=40)  # mean 0.8: photos are harder or easier
        right = generator.random((40, objects)) < of_photo[:, None]
        low, high = wilson_interval(right.ravel(), np.repeat(np.arange(40), objects))
        covered += low <= truth <= high
    assert 0.92 <= covered / draws <= 0.99


# ---------------------------------------------------------------- running it


@dataclass
class Prepared:
    """Answers from a list, and remembers the photos it was shown."""

    answers: list[str]
    names: tuple[str, ...] = NAMES
    shown: list[Tensor] = field(default_factory=list)

    @property
    def config(self) -> SimpleNamespace:
        return SimpleNamespace(class_names=self.names)

    def predict(self, photo: Tensor) -> Classification:
        self.shown.append(photo)
        return answer(self.answers[len(self.shown) - 1], self.names)


@pytest.fixture
def on_disk(items: Items, tmp_path: Path) -> ClassificationDataset:
    """Three photos, each of one gray."""
    for number in range(3):
        Image.fromarray(np.full((100, 100, 3), 50 * number, np.uint8)).save(tmp_path / f"{number}.jpg")
    dataset = items("cat", "dog", "owl")
    return replace(dataset, photos=replace(dataset.photos, root=tmp_path))


def test_it_goes_through_the_items_in_order(on_disk: ClassificationDataset) -> None:
    classifier, steps = Prepared(["cat", "owl", "owl"]), []
    found = evaluate_classifier(classifier, on_disk, progress=lambda done, of: steps.append((done, of)))
    assert found.accuracy == pytest.approx(2 / 3)
    assert [int(photo.float().mean().round()) for photo in classifier.shown] == [0, 50, 100]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_missing_photo_is_named(on_disk: ClassificationDataset) -> None:
    on_disk.path(1).unlink()
    with pytest.raises(PhotoError, match=r"1\.jpg"):
        evaluate_classifier(Prepared(["cat"] * 3), on_disk)


def test_a_class_that_the_classifier_does_not_know(on_disk: ClassificationDataset) -> None:
    classifier = Prepared(["cat", "owl"], ("cat", "owl"))
    with pytest.raises(LabelError, match=r'"dog": 1 item in 1\.jpg\nIt knows "cat", "owl"'):
        evaluate_classifier(classifier, on_disk)
    assert classifier.shown == []
    found = evaluate_classifier(classifier, on_disk, on_unseen_classes="skip")
    assert (found.images, found.accuracy) == (2, 1.0)
    assert found.notes == (
        'classes that the model does not know are left out of the metrics:\n  "dog": 1 item in 1.jpg',
    )
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifier(Prepared([], ("fox",)), on_disk, on_unseen_classes="skip")


def test_nothing_to_judge(items: Items) -> None:
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifier(Prepared([]), items("cat").split("val"))
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifications(items(), [])


# ---------------------------------------------------------------- table


def printed(evaluation: ClassificationEvaluation) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(classification_table(evaluation))
    return console.file.getvalue()


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines()]


def test_the_table_shows_classes_the_interval_the_matrix_and_the_notes(items: Items) -> None:
    found = judged(items("cat", "cat", "dog", "dog"), ["cat", "dog", "dog", "dog"])
    text = printed(replace(found, notes=("Something was left out.",)))
    assert "4 photos" in text
    assert "95% interval" in text
    assert ["cat", "2", "0.500", "1.000"] in rows(text)
    assert ["owl", "0", "–", "–"] in rows(text)
    assert ["cat", "1", "1", "0"] in rows(text)
    assert "Something was left out." in text


def test_objects_of_photos_are_counted_as_such(items: Items) -> None:
    found = judged(items(["cat", "dog"], "dog"), ["cat", "dog", "dog"])
    assert (found.images, found.photos) == (3, 2)
    assert "3 objects of 2 photos" in printed(found)
    assert found.to_dict()["photos"] == 2


def test_many_classes_show_their_most_frequent_mistakes(items: Items) -> None:
    names = tuple(f"class {number}" for number in range(30))
    truth, taken = [*names, *names[:3]], [names[1], *names[1:], names[1], *names[1:3]]
    dataset = items(*truth, names=names)
    found = evaluate_classifications(dataset, [answer(name, names) for name in taken])
    text = printed(found)
    assert "the most frequent mistakes" in text
    assert ["class 0", "class 1", "2"] in rows(text)
    assert "columns:" not in text


def test_names_with_brackets_are_no_markup(items: Items) -> None:
    names = ("[red]cat", "[/]")
    dataset = items(*names, names=names)
    text = printed(evaluate_classifications(dataset, [answer(name, names) for name in names]))
    assert "[red]cat" in text
    assert "[/]" in text

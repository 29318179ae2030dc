"""Metrics against scikit-learn; intervals; classes by name; the printed table."""

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
from PIL import Image
from rich.console import Console
from sklearn import metrics as sklearn_metrics
from torch import Tensor

from boxmask.data.classification.dataset import NO_CONTEXT, ClassificationDataset, crop_objects
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import LabelError, PhotoError
from boxmask.evaluation.classification.evaluate import (
    ClassificationEvaluation,
    evaluate_classifications,
    evaluate_classifier,
)
from boxmask.evaluation.classification.table import classification_table
from boxmask.types import Classification

NAMES = ("cat", "dog", "owl")
Labeled = Callable[..., DetectionDataset]


def classification(name: str, names: tuple[str, ...] = NAMES) -> Classification:
    """A classification as `name` with score 0.9."""
    scores = torch.full((len(names),), 0.1 / max(1, len(names) - 1))
    scores[names.index(name)] = 0.9 if len(names) > 1 else 1.0
    return Classification(scores, names)


@pytest.fixture
def items(labeled: Labeled) -> Callable[..., ClassificationDataset]:
    """One whole photo per name, or several objects per photo."""

    def build(*photos: str | Sequence[str], names: tuple[str, ...] = NAMES) -> ClassificationDataset:
        groups = [[photo] if isinstance(photo, str) else photo for photo in photos]
        objects = [[(name, (0, 0, 100, 100)) for name in group] for group in groups]
        return crop_objects(labeled(*objects, class_names=names), NO_CONTEXT)

    return build


Items = Callable[..., ClassificationDataset]


def evaluated(dataset: ClassificationDataset, predicted: Sequence[str]) -> ClassificationEvaluation:
    return evaluate_classifications(dataset, [classification(name) for name in predicted])


# ---------------------------------------------------------------- metrics


@pytest.mark.parametrize("seed", range(5))
def test_metrics_equal_scikit_learns(items: Items, seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.choice(NAMES, 60, p=[0.6, 0.3, 0.1])
    predicted = np.where(generator.random(60) < 0.6, truth, generator.choice(NAMES, 60))
    found = evaluated(items(*truth.tolist()), predicted.tolist())
    assert found.accuracy == pytest.approx(sklearn_metrics.accuracy_score(truth, predicted))
    assert found.mean_accuracy == pytest.approx(sklearn_metrics.balanced_accuracy_score(truth, predicted))
    assert np.array_equal(found.confusion, sklearn_metrics.confusion_matrix(truth, predicted, labels=NAMES))
    precision, recall, _, support = sklearn_metrics.precision_recall_fscore_support(
        truth, predicted, labels=NAMES
    )
    metrics = list(found.per_class.values())
    assert [one.images for one in metrics] == support.tolist()
    assert [one.recall for one in metrics] == pytest.approx(recall)
    assert [one.precision for one in metrics] == pytest.approx(precision)


def test_none_for_classes_without_items_or_predictions(items: Items) -> None:
    found = evaluated(items("cat", "cat", "dog"), ["cat", "cat", "cat"])
    assert found.per_class["owl"].recall is found.per_class["owl"].precision is None
    assert found.per_class["dog"].recall == 0.0
    assert found.per_class["dog"].precision is None
    assert found.mean_accuracy == 0.5
    assert found.mistakes() == [("dog", "cat", 1)]


def test_dict_holds_the_metrics(items: Items) -> None:
    metrics = evaluated(items("cat", "dog", "dog"), ["cat", "dog", "cat"]).to_dict()
    assert json.loads(json.dumps(metrics)) == metrics
    assert set(metrics) >= {"accuracy", "mean_accuracy", "per_class", "confusion", "images", "notes"}
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["per_class"]["dog"] == {"precision": 1.0, "recall": 0.5, "images": 2}
    assert metrics["confusion"] == {
        "class_names": ["cat", "dog", "owl"],
        "counts": [[1, 0, 0], [1, 1, 0], [0, 0, 0]],
    }
    assert metrics["accuracy_interval"][0] < 2 / 3 < metrics["accuracy_interval"][1]
    assert metrics["interval_confidence"] == 0.95


def test_interval_can_be_left_out(items: Items) -> None:
    found = evaluate_classifications(items("cat"), [classification("cat")], interval=False)
    assert found.to_dict()["accuracy_interval"] is None
    assert found.to_dict()["interval_confidence"] is None


def test_classes_in_another_order_give_the_same_metrics(items: Items) -> None:
    dataset, predicted = items("cat", "dog", "owl", "owl"), ["cat", "cat", "owl", "dog"]
    swapped = evaluate_classifications(
        dataset, [classification(name, ("owl", "cat", "dog")) for name in predicted]
    )
    assert swapped.to_dict() == evaluated(dataset, predicted).to_dict()


def test_class_that_only_the_classifier_knows(items: Items) -> None:
    dataset = items("cat", "dog", names=("cat", "dog"))
    found = evaluate_classifications(dataset, [classification("owl"), classification("dog")])
    assert found.class_names == NAMES
    assert found.confusion.tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert found.per_class["owl"].images == 0
    assert (found.accuracy, found.mean_accuracy) == (0.5, 0.5)


def test_wrong_number_of_classifications_is_refused(items: Items) -> None:
    with pytest.raises(ValueError, match="expected 2, found 1"):
        evaluate_classifications(items("cat", "dog"), [classification("cat")])


# ---------------------------------------------------------------- running it


@dataclass
class StubClassifier:
    """A classifier that returns prepared classes and records its photos."""

    prepared: list[str]
    names: tuple[str, ...] = NAMES
    shown: list[Tensor] = field(default_factory=list)

    @property
    def config(self) -> SimpleNamespace:
        return SimpleNamespace(class_names=self.names)

    def predict(self, photo: Tensor) -> Classification:
        self.shown.append(photo)
        return classification(self.prepared[len(self.shown) - 1], self.names)


@pytest.fixture
def on_disk(items: Items, tmp_path: Path) -> ClassificationDataset:
    """Three photos, each of one gray."""
    for number in range(3):
        Image.fromarray(np.full((100, 100, 3), 50 * number, np.uint8)).save(tmp_path / f"{number}.jpg")
    dataset = items("cat", "dog", "owl")
    return replace(dataset, photos=replace(dataset.photos, root=tmp_path))


def test_items_are_classified_in_order(on_disk: ClassificationDataset) -> None:
    classifier, steps = StubClassifier(["cat", "owl", "owl"]), []
    found = evaluate_classifier(classifier, on_disk, progress=lambda done, of: steps.append((done, of)))
    assert found.accuracy == pytest.approx(2 / 3)
    assert [int(photo.float().mean().round()) for photo in classifier.shown] == [0, 50, 100]
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_missing_photo_is_named(on_disk: ClassificationDataset) -> None:
    on_disk.path(1).unlink()
    with pytest.raises(PhotoError, match=r"1\.jpg"):
        evaluate_classifier(StubClassifier(["cat"] * 3), on_disk)


def test_class_that_the_classifier_does_not_know(on_disk: ClassificationDataset) -> None:
    classifier = StubClassifier(["cat", "owl"], ("cat", "owl"))
    with pytest.raises(LabelError, match=r'"dog": 1 item in 1\.jpg\nIt knows "cat", "owl"'):
        evaluate_classifier(classifier, on_disk)
    assert classifier.shown == []
    found = evaluate_classifier(classifier, on_disk, on_unseen_classes="skip")
    assert (found.images, found.accuracy) == (2, 1.0)
    assert found.notes == (
        'classes that the model does not know are left out of the metrics:\n  "dog": 1 item in 1.jpg',
    )
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifier(StubClassifier([], ("fox",)), on_disk, on_unseen_classes="skip")


def test_no_items_are_an_error(items: Items) -> None:
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifier(StubClassifier([]), items("cat").split("val"))
    with pytest.raises(LabelError, match="no photos to evaluate on"):
        evaluate_classifications(items(), [])


# ---------------------------------------------------------------- table


def printed(evaluation: ClassificationEvaluation) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(classification_table(evaluation))
    return console.file.getvalue()


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines()]


def test_table_shows_classes_interval_matrix_and_notes(items: Items) -> None:
    found = evaluated(items("cat", "cat", "dog", "dog"), ["cat", "dog", "dog", "dog"])
    text = printed(replace(found, notes=("Something was left out.",)))
    assert "4 photos" in text
    assert "95% interval" in text
    assert ["cat", "2", "0.500", "1.000"] in rows(text)
    assert ["owl", "0", "–", "–"] in rows(text)
    assert ["cat", "1", "1", "0"] in rows(text)
    assert "Something was left out." in text


def test_objects_and_photos_are_both_counted(items: Items) -> None:
    found = evaluated(items(["cat", "dog"], "dog"), ["cat", "dog", "dog"])
    assert (found.images, found.photos) == (3, 2)
    assert "3 objects in 2 photos" in printed(found)
    assert found.to_dict()["photos"] == 2


def test_many_classes_show_the_most_frequent_mistakes(items: Items) -> None:
    names = tuple(f"class {number}" for number in range(30))
    truth, predicted = [*names, *names[:3]], [names[1], *names[1:], names[1], *names[1:3]]
    dataset = items(*truth, names=names)
    found = evaluate_classifications(dataset, [classification(name, names) for name in predicted])
    text = printed(found)
    assert "most frequent mistakes" in text
    assert ["class 0", "class 1", "2"] in rows(text)
    assert "columns:" not in text


def test_names_with_brackets_are_not_markup(items: Items) -> None:
    names = ("[red]cat", "[/]")
    dataset = items(*names, names=names)
    text = printed(evaluate_classifications(dataset, [classification(name, names) for name in names]))
    assert "[red]cat" in text
    assert "[/]" in text

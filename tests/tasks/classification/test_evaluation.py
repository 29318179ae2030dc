from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from boxmask.data.classification.dataset import ClassificationDataset
from boxmask.data.classification.read import read_unsplit_classification
from boxmask.errors import LabelError
from boxmask.results.picture_folder import PictureFolder
from boxmask.tasks.classification import evaluation as evaluation_module
from boxmask.tasks.classification.evaluation import MAX_MISTAKES, MISTAKES_FILE, evaluate_and_draw
from boxmask.types import Classification


class Brightness:
    """Scores day by the mean brightness of the photo."""

    config = SimpleNamespace(class_names=("night", "day"))

    def predict(self, photo: torch.Tensor) -> Classification:
        brightness = photo.float().mean() / 255
        return Classification(torch.stack([1 - brightness, brightness]), self.config.class_names)


CLASSIFIER: Any = Brightness()


def make_dataset(root: Path, **photos: list[int]) -> ClassificationDataset:
    """One folder per class, with a gray photo of each brightness."""
    for name, brightnesses in photos.items():
        (root / name).mkdir(parents=True)
        for number, brightness in enumerate(brightnesses):
            Image.new("L", (20 + len(name), 10 + number), brightness).save(root / name / f"{number:02}.png")
    return read_unsplit_classification(root)


def captions_of(items: ClassificationDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions of the picture of mistakes."""
    drawn: list[str] = []

    def sheet(pictures: Any, columns: int, captions: list[str]) -> np.ndarray:
        assert len(pictures) == len(captions)
        drawn.extend(captions)
        return np.zeros((5, 5, 3), np.uint8)

    monkeypatch.setattr(evaluation_module, "contact_sheet", sheet)
    evaluate_and_draw(CLASSIFIER, items, pictures=mistakes_in(tmp_path / "pictures"))
    return drawn


def mistakes_in(folder: Path) -> PictureFolder:
    return PictureFolder(folder, [folder / MISTAKES_FILE])


def test_metrics_and_progress(tmp_path: Path) -> None:
    items = make_dataset(tmp_path / "set", day=[200, 250, 20], night=[0, 30])
    calls: list[tuple[int, int]] = []
    evaluation, evaluated, found = evaluate_and_draw(
        CLASSIFIER, items, progress=lambda *done: calls.append(done)
    )
    assert evaluation.accuracy == pytest.approx(4 / 5)
    assert len(found) == len(evaluated) == 5
    assert evaluation.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert evaluation.mistakes() == [("day", "night", 1)]
    assert calls == [(done, 5) for done in range(1, 6)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["set"]


def test_mistakes_with_the_highest_scores_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = make_dataset(tmp_path / "set", day=[51, 204, 102], night=[0, 229])
    assert captions_of(items, tmp_path, monkeypatch) == [
        "night, classified as day 0.90",
        "day, classified as night 0.80",
        "day, classified as night 0.60",
    ]


def test_the_number_of_mistakes_in_the_picture_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = make_dataset(tmp_path / "set", day=[10] * (MAX_MISTAKES + 3), night=[0])
    assert len(captions_of(items, tmp_path, monkeypatch)) == MAX_MISTAKES


def test_the_mistakes_are_drawn_as_one_picture(tmp_path: Path) -> None:
    items = make_dataset(tmp_path / "set", day=[10, 250], night=[0])
    evaluate_and_draw(CLASSIFIER, items, pictures=mistakes_in(tmp_path / "pictures"))
    assert [file.name for file in (tmp_path / "pictures").glob("*.jpg")] == ["mistakes.jpg"]
    assert Image.open(tmp_path / "pictures" / "mistakes.jpg").mode == "RGB"


def test_without_mistakes_there_is_no_picture(tmp_path: Path) -> None:
    items = make_dataset(tmp_path / "set", day=[250], night=[0])
    evaluation, *_ = evaluate_and_draw(CLASSIFIER, items, pictures=mistakes_in(tmp_path / "pictures"))
    assert evaluation.accuracy == 1
    assert not (tmp_path / "pictures").exists()


def test_classes_that_the_classifier_does_not_know(tmp_path: Path) -> None:
    items = make_dataset(tmp_path / "set", day=[250], dusk=[90, 90], night=[0])
    with pytest.raises(LabelError, match='"dusk": 2 items in'):
        evaluate_and_draw(CLASSIFIER, items)
    evaluation, *_ = evaluate_and_draw(CLASSIFIER, items, "skip", pictures=mistakes_in(tmp_path / "pictures"))
    assert evaluation.images == 2
    assert evaluation.notes == (
        "classes that the model does not know are left out of the metrics:\n"
        '  "dusk": 2 items in dusk/00.png, dusk/01.png',
    )
    assert not (tmp_path / "pictures").exists()


def test_labels_of_a_single_class_can_be_evaluated(tmp_path: Path) -> None:
    evaluation, *_ = evaluate_and_draw(CLASSIFIER, make_dataset(tmp_path / "set", day=[250, 20]))
    assert evaluation.accuracy == 0.5

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
from boxmask.tasks.classification import evaluation as judging
from boxmask.tasks.classification.evaluation import MOST_MISTAKES, evaluate_and_draw_classifier
from boxmask.types import Classification


class Brightness:
    """The brighter a photo, the surer that it is day."""

    config = SimpleNamespace(class_names=("night", "day"))

    def predict(self, photo: torch.Tensor) -> Classification:
        light = photo.float().mean() / 255
        return Classification(torch.stack([1 - light, light]), self.config.class_names)


CLASSIFIER: Any = Brightness()


def things(root: Path, **photos: list[int]) -> ClassificationDataset:
    """Folders of gray photos of these brightnesses."""
    for name, lights in photos.items():
        (root / name).mkdir(parents=True)
        for number, light in enumerate(lights):
            Image.new("L", (20 + len(name), 10 + number), light).save(root / name / f"{number:02}.png")
    return read_unsplit_classification(root)


def captions_of(items: ClassificationDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands above the pictures of the sheet."""
    told: list[str] = []

    def sheet(pictures: Any, columns: int, captions: list[str]) -> np.ndarray:
        assert len(pictures) == len(captions)
        told.extend(captions)
        return np.zeros((5, 5, 3), np.uint8)

    monkeypatch.setattr(judging, "contact_sheet", sheet)
    evaluate_and_draw_classifier(CLASSIFIER, items, pictures=tmp_path / "pictures")
    return told


def test_figures_and_progress(tmp_path: Path) -> None:
    items = things(tmp_path / "set", day=[200, 250, 20], night=[0, 30])
    told: list[tuple[int, int]] = []
    judged = evaluate_and_draw_classifier(CLASSIFIER, items, progress=lambda *done: told.append(done))
    assert judged.accuracy == pytest.approx(4 / 5)
    assert judged.mean_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert judged.mistakes() == [("day", "night", 1)]
    assert told == [(done, 5) for done in range(1, 6)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["set"]


def test_the_surest_mistakes_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = things(tmp_path / "set", day=[51, 204, 102], night=[0, 229])
    assert captions_of(items, tmp_path, monkeypatch) == [
        "night, found day 0.90",
        "day, found night 0.80",
        "day, found night 0.60",
    ]


def test_a_sheet_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = things(tmp_path / "set", day=[10] * (MOST_MISTAKES + 3), night=[0])
    assert len(captions_of(items, tmp_path, monkeypatch)) == MOST_MISTAKES


def test_the_sheet_is_a_picture(tmp_path: Path) -> None:
    items = things(tmp_path / "set", day=[10, 250], night=[0])
    evaluate_and_draw_classifier(CLASSIFIER, items, pictures=tmp_path / "pictures")
    assert [file.name for file in (tmp_path / "pictures").iterdir()] == ["mistakes.jpg"]
    assert Image.open(tmp_path / "pictures" / "mistakes.jpg").mode == "RGB"


def test_without_mistakes_there_is_no_sheet(tmp_path: Path) -> None:
    items = things(tmp_path / "set", day=[250], night=[0])
    assert evaluate_and_draw_classifier(CLASSIFIER, items, pictures=tmp_path / "pictures").accuracy == 1
    assert not (tmp_path / "pictures").exists()


def test_classes_that_it_does_not_know(tmp_path: Path) -> None:
    items = things(tmp_path / "set", day=[250], dusk=[90, 90], night=[0])
    with pytest.raises(LabelError, match='"dusk": 2 items in'):
        evaluate_and_draw_classifier(CLASSIFIER, items)
    judged = evaluate_and_draw_classifier(CLASSIFIER, items, "skip", pictures=tmp_path / "pictures")
    assert judged.images == 2
    assert judged.notes == (
        'classes that the model does not know are left out of the metrics:\n  "dusk": 2 items in dusk/00.png, dusk/01.png',
    )
    assert not (tmp_path / "pictures").exists()


def test_one_class_can_be_judged(tmp_path: Path) -> None:
    assert evaluate_and_draw_classifier(CLASSIFIER, things(tmp_path / "set", day=[250, 20])).accuracy == 0.5

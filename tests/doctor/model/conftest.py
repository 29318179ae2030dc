"""Models whose results are made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.data.class_selection import ALL_CLASSES
from boxmask.detectors.contract import Detector
from boxmask.doctor.model.trained_model import TrainedModel
from boxmask.models.table import make_config
from boxmask.photos.read import to_image
from boxmask.types import Classification, Detections

Found = tuple[str, tuple[float, float, float, float], float]
"""Class name, box and score."""


class HandMadeDetector(Detector):
    """Knows the result of each photo by its pixels."""

    def __init__(self, class_names: Sequence[str], found: Mapping[Path, Sequence[Found]]) -> None:
        super().__init__()
        self.config = make_config("faster-rcnn", "default", class_names=tuple(class_names))
        self._found = {to_image(path).numpy().tobytes(): list(objects) for path, objects in found.items()}

    def predict(self, image: Tensor, proposals: Any = None) -> Any:  # type: ignore[override]
        found = sorted(self._found.get(image.numpy().tobytes(), []), key=lambda one: -one[2])
        boxes = torch.tensor([box for _, box, _ in found], dtype=torch.float32).reshape(-1, 4)
        labels = [self.class_names.index(name) for name, _, _ in found]
        return Detections(
            boxes,
            torch.tensor([score for _, _, score in found], dtype=torch.float32),
            torch.tensor(labels, dtype=torch.int64),
            self.class_names,
            (image.shape[1], image.shape[2]),
        )

    def loss(self, images: Any, targets: Any, proposals: Any = None) -> dict[str, Tensor]:
        raise NotImplementedError


class HandMadeClassifier(Classifier):
    """Knows the scores of each photo by its pixels."""

    def __init__(self, class_names: Sequence[str], scores: Mapping[Path, Sequence[float]]) -> None:
        super().__init__()
        self.config = make_config("classifier", "default", class_names=tuple(class_names))
        self._scores = {to_image(path).numpy().tobytes(): values for path, values in scores.items()}

    def predict(self, image: Tensor) -> Any:  # type: ignore[override]
        scores = torch.tensor(self._scores[image.numpy().tobytes()], dtype=torch.float32)
        return Classification(scores, self.class_names)

    def loss(self, images: Any, targets: Any) -> dict[str, Tensor]:
        raise NotImplementedError


Detect = Callable[..., TrainedModel]


@pytest.fixture
def detect(tmp_path: Path) -> Detect:
    """A trained model from what it finds in each photo."""

    def make(class_names: Sequence[str], found: Mapping[Path, Sequence[Found]]) -> TrainedModel:
        return TrainedModel(tmp_path / "run", HandMadeDetector(class_names, found), ALL_CLASSES)

    return make


@pytest.fixture
def classify(tmp_path: Path) -> Callable[..., TrainedModel]:
    """A trained classifier from the scores of each photo."""

    def make(class_names: Sequence[str], scores: Mapping[Path, Sequence[float]]) -> TrainedModel:
        return TrainedModel(tmp_path / "run", HandMadeClassifier(class_names, scores), ALL_CLASSES)

    return make

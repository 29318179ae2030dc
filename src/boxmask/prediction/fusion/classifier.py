"""Several views of a photo by classifiers, fused to one classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from boxmask.classifiers.contract import Classifier
from boxmask.photos.read import accepts_photos
from boxmask.prediction.fusion.class_names import JoinedClasses
from boxmask.prediction.fusion.views import View
from boxmask.types import Classification


class FusedClassifier:
    """One or several classifiers that predict several views of each photo.

    A class has the mean of its scores over the views of the models that know it, divided by their sum over
    all classes. `config` is that of the first classifier, with the classes of all.
    """

    def __init__(self, views: Sequence[View[Classifier]]) -> None:
        self.views = list(views)
        configs = [view.model.config for view in views]
        self._classes = JoinedClasses.of([config.class_names for config in configs])
        self.config: Any = replace(configs[0], class_names=self._classes.names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self._classes.names

    @accepts_photos
    def predict(self, images: list[Tensor]) -> list[Classification]:
        """Photos -> the class scores of each, as `Classifier.predict`."""
        return [self._classify(image) for image in images]

    def _classify(self, image: Tensor) -> Classification:
        total = np.zeros(len(self.class_names))
        for view, labels in zip(self.views, self._classes.labels, strict=True):
            total[labels] += view.model.predict(view.image(image)).scores
        means = total / self._classes.known.sum(axis=0)
        return Classification((means / means.sum()).astype(np.float32), self.class_names)

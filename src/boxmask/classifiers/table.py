"""The table of classifiers: what each is called, how it is built, and its presets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from boxmask.classifiers import classifier
from boxmask.classifiers.contract import Classifier


@dataclass(frozen=True)
class Entry:
    """One classifier: the frozen config, the presets of it, and the module that it builds."""

    config: type[Any]
    build: Callable[[Any, dict[str, Tensor] | None], Classifier]
    presets: dict[str, dict[str, object]]


CLASSIFIERS: dict[str, Entry] = {
    "classifier": Entry(classifier.ClassifierConfig, classifier.ImageClassifier, classifier.PRESETS),
}

"""The table of classifiers: name -> config, network and presets."""

from __future__ import annotations

from boxmask.classifiers import classifier
from boxmask.pipeline.model import ModelEntry

CLASSIFIERS: dict[str, ModelEntry] = {
    "classifier": ModelEntry(classifier.ClassifierConfig, classifier.ImageClassifier, classifier.PRESETS),
}

"""The table of classifiers: name -> config, network and presets."""

from __future__ import annotations

from boxmask.classifiers import classifier
from boxmask.pipeline.model import Entry

CLASSIFIERS: dict[str, Entry] = {
    "classifier": Entry(classifier.ClassifierConfig, classifier.ImageClassifier, classifier.PRESETS),
}

"""The table of classifiers: what each is called, and how it is built."""

from __future__ import annotations

from boxmask.classifiers import classifier
from boxmask.pipeline.model import Entry

CLASSIFIERS: dict[str, Entry] = {
    "classifier": Entry(classifier.ClassifierConfig, classifier.ImageClassifier, classifier.PRESETS),
}

"""Match classes by name: a detector and a data set may order them differently, or share only some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from boxmask.data.class_checks import OnUnseenClasses, check_model_classes, quoted
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.names import class_name
from boxmask.types import Detections


def keep_known_classes(
    dataset: DetectionDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[DetectionDataset, tuple[str, ...]]:
    """The part of a data set that a detector with the classes `known` can be evaluated on, and notes.

    Raises LabelError for classes that the detector does not know. With `on_unseen_classes="skip"`, they are
    left out together with their objects, and noted.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    return (_without(dataset, unseen) if unseen else dataset), notes


def with_class_names(detections: Detections, class_names: tuple[str, ...]) -> Detections:
    """The same detections with labels that index `class_names`. Detections of other classes are left out."""
    if detections.class_names == class_names:
        return detections
    index = {class_name(name): i for i, name in enumerate(class_names)}
    new_label = np.array([index.get(class_name(name), -1) for name in detections.class_names], dtype=np.int64)
    labels = new_label[detections.labels]
    keep = labels >= 0
    kept = detections[keep]
    return Detections(kept.boxes, kept.scores, labels[keep], class_names, detections.size, kept.masks)


def extra_classes_note(detections: Sequence[Detections], class_names: tuple[str, ...]) -> tuple[str, ...]:
    """A note on detections of classes that are not among `class_names`, or nothing."""
    known = {class_name(name) for name in class_names}
    extra: Counter[str] = Counter()
    for in_photo in detections:
        if not known.issuperset(map(class_name, in_photo.class_names)):
            extra.update(name for name in in_photo.names if class_name(name) not in known)
    if not extra:
        return ()
    names = ", ".join(quoted(sorted(extra)))
    return (f"{extra.total()} detections of classes that the data set does not have are left out: {names}.",)


def _without(dataset: DetectionDataset, names: Sequence[str]) -> DetectionDataset:
    """The data set without some classes and their objects. All photos stay."""
    kept = tuple(name for name in dataset.class_names if name not in names)
    new_label = np.array([kept.index(n) if n in kept else -1 for n in dataset.class_names], dtype=np.int64)
    labels = new_label[dataset.labels]
    rows = labels >= 0
    offsets = np.concatenate([[0], np.cumsum(rows)])[dataset.offsets].astype(np.int64)
    return replace(dataset, class_names=kept, labels=labels).with_objects(rows, offsets)

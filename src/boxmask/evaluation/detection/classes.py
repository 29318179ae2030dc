"""Classes by name: a detector and a data set may order them differently, or know only some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from boxmask.data.class_checks import OnUnseenClasses, check_model_classes, quoted
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.types import Detections


def seen_classes(
    dataset: DetectionDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[DetectionDataset, tuple[str, ...]]:
    """The data set as a detector that knows the classes `known` can be judged on it, and what to note.

    Raises LabelError for classes that the detector does not know. With `on_unseen_classes="skip"`, they are
    left out of the metrics together with their objects, and noted.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    return (_without(dataset, unseen) if unseen else dataset), notes


def renamed(detections: Detections, class_names: tuple[str, ...]) -> Detections:
    """The same detections, their labels counted by `class_names`; those of other classes are left out."""
    if detections.class_names == class_names:
        return detections
    place = {name: i for i, name in enumerate(class_names)}
    new_label = torch.tensor([place.get(name, -1) for name in detections.class_names], dtype=torch.int64)
    labels = new_label[detections.labels.cpu()]
    keep = labels >= 0
    kept = detections[keep.to(detections.labels.device)]
    return Detections(
        kept.boxes.cpu(), kept.scores.cpu(), labels[keep], class_names, detections.size, kept.masks
    )


def foreign_note(detections: Sequence[Detections], class_names: tuple[str, ...]) -> tuple[str, ...]:
    """What to note of detections of classes that are not among `class_names`: nothing, or one sentence."""
    foreign = [name for found in detections for name in found.names if name not in class_names]
    if not foreign:
        return ()
    names = ", ".join(quoted(sorted(set(foreign))))
    return (f"Left out, as the data set does not have these classes: {len(foreign)} detections of {names}.",)


def _without(dataset: DetectionDataset, names: Sequence[str]) -> DetectionDataset:
    kept = tuple(name for name in dataset.class_names if name not in names)
    new_label = np.array([kept.index(n) if n in kept else -1 for n in dataset.class_names], dtype=np.int64)
    labels = new_label[dataset.labels]
    rows = labels >= 0
    offsets = np.concatenate([[0], np.cumsum(rows)])[dataset.offsets].astype(np.int64)
    renumbered = replace(dataset, class_names=kept, labels=labels)
    return renumbered.with_objects(rows, offsets)

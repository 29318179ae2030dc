"""Classes by name: a detector and a data set may order them differently, or know only some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.data.split import OnUnseenClasses
from boxmask.errors import LabelError
from boxmask.types import Detections


def seen_classes(
    dataset: DetectionDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[DetectionDataset, tuple[str, ...]]:
    """The data set as a detector that knows the classes `known` can be judged on it, and what to note.

    A class that has objects and that the detector does not know stops with LabelError, or, with
    `on_unseen_classes="skip"`, is left out of the figures together with its objects, and noted.
    """
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    unseen = [name for name, n in zip(dataset.class_names, counts, strict=True) if n and name not in known]
    if not unseen:
        return dataset, ()
    if on_unseen_classes == "error":
        raise LabelError(_unseen_message(dataset, unseen, known))
    objects = sum(int(counts[dataset.class_names.index(name)]) for name in unseen)
    note = f"Left out, as the detector does not know these classes: {objects} objects of {_quoted(unseen)}."
    return _without(dataset, unseen), (note,)


def renamed(detections: Detections, class_names: tuple[str, ...]) -> Detections:
    """The same detections, their labels counted by `class_names`; those of other classes are left out."""
    if detections.class_names == class_names:
        return detections
    place = {name: i for i, name in enumerate(class_names)}
    new_label = torch.tensor([place.get(name, -1) for name in detections.class_names], dtype=torch.int64)
    labels = new_label[detections.labels.cpu()]
    keep = labels >= 0
    kept = detections.rows(keep.to(detections.labels.device))
    return Detections(
        kept.boxes.cpu(), kept.scores.cpu(), labels[keep], class_names, detections.size, kept.masks
    )


def foreign_note(detections: Sequence[Detections], class_names: tuple[str, ...]) -> tuple[str, ...]:
    """What to note of detections of classes that are not among `class_names`: nothing, or one sentence."""
    foreign = [name for found in detections for name in found.names if name not in class_names]
    if not foreign:
        return ()
    names = _quoted(sorted(set(foreign)))
    return (f"Left out, as the data set does not have these classes: {len(foreign)} detections of {names}.",)


def _without(dataset: DetectionDataset, names: Sequence[str]) -> DetectionDataset:
    kept = tuple(name for name in dataset.class_names if name not in names)
    new_label = np.array([kept.index(n) if n in kept else -1 for n in dataset.class_names], dtype=np.int64)
    labels = new_label[dataset.labels]
    rows = labels >= 0
    offsets = np.concatenate([[0], np.cumsum(rows)])[dataset.offsets].astype(np.int64)
    renumbered = replace(dataset, class_names=kept, labels=labels)
    return renumbered.with_objects(rows, offsets)


def _unseen_message(dataset: DetectionDataset, unseen: Sequence[str], known: Sequence[str]) -> str:
    row = int(np.flatnonzero(dataset.labels == dataset.class_names.index(unseen[0]))[0])
    photo = int(np.searchsorted(dataset.offsets, row, side="right")) - 1
    return (
        f"{dataset.root} has objects of {_quoted(unseen)}, which the detector was not trained on "
        f'("{unseen[0]}" is first labeled in {dataset.files[photo]}). It knows {_quoted(known)}. '
        "Correct the name in the labels, train with this class, or leave such classes out of the figures "
        'with --on-unseen-classes skip (in Python: on_unseen_classes="skip").'
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)

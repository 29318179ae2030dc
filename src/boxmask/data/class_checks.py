"""Classes that a data set shows but training, or a trained model, has never seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from boxmask.data.contract import SplitDataset
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note
from boxmask.names import class_name
from boxmask.options import option

OnUnseenClasses = Literal["error", "skip"]
"""What to do with classes that were never seen in training: stop, or continue with a note."""

_REMEDY_IN_TRAINING = (
    f"Move some of these photos to train, choose another {option('split_seed')} or a {option('split_file')}, "
    f"or continue without these classes with {option('on_unseen_classes', 'skip')}."
)
_REMEDY_IN_EVALUATION = (
    "Correct the class names in the labels, train with these classes, or leave them out of the metrics with "
    f"{option('on_unseen_classes', 'skip')}."
)


def check_training_classes(
    dataset: SplitDataset, *, on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[str, ...]:
    """Check that the train split shows every class of the val and test splits; returns notes.

    Raises LabelError if the train split is empty, and for classes that only val or test show. With
    `on_unseen_classes="skip"` the latter become a note.
    """
    in_train = dataset.splits == "train"
    if not in_train.any():
        advice = "Give labels with photos to train on, or a split file."
        raise LabelError(f"{dataset.root}: none of its {len(dataset)} photos is in the train split. {advice}")
    trained = dataset.counts()[in_train].any(axis=0)
    seen = [name for name, is_trained in zip(dataset.class_names, trained, strict=True) if is_trained]
    unseen = unseen_classes(dataset.subset(np.flatnonzero(~in_train)), seen)
    if unseen and on_unseen_classes == "error":
        raise LabelError(
            format_errors("Classes without training photos", list(unseen.values()), _REMEDY_IN_TRAINING)
        )
    return format_note("classes without training photos", list(unseen.values()))


def check_model_classes(
    dataset: SplitDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Check that a model knows every class that a data set shows; returns the unknown classes and notes.

    known: the model's classes

    Raises LabelError for classes that it does not know. With `on_unseen_classes="skip"` they become a note.
    """
    unseen = unseen_classes(dataset, known)
    if unseen and on_unseen_classes == "error":
        raise LabelError(
            format_errors(
                f"{dataset.root}: classes that the model does not know",
                list(unseen.values()),
                f"It knows {', '.join(quoted(known))}. {_REMEDY_IN_EVALUATION}",
            )
        )
    note = "classes that the model does not know are left out of the metrics"
    return tuple(unseen), format_note(note, list(unseen.values()))


def unseen_classes(dataset: SplitDataset, known: Sequence[str]) -> dict[str, str]:
    """Classes that a data set shows and `known` lacks, each with a line on how often and where."""
    counts = dataset.counts()
    known_names = {class_name(name) for name in known}
    unseen = {}
    for label, name in enumerate(dataset.class_names):
        total = int(counts[:, label].sum())
        if total and class_name(name) not in known_names:
            files = list(dict.fromkeys(dataset.files[counts[:, label] > 0].tolist()))
            examples = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
            unit = dataset.UNIT if total > 1 else dataset.UNIT.removesuffix("s")
            unseen[name] = f'"{name}": {total:,} {unit} in {examples}'
    return unseen


def quoted(names: Iterable[str]) -> list[str]:
    """Class names in quotation marks, for messages."""
    return [f'"{name}"' for name in names]

"""The classes of a data set that a model knows, matched by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from boxmask.data.class_selection import LEFT_OUT, ClassSelection
from boxmask.errors import UsageError
from boxmask.evaluation.suspicions.photo_comparison import UNKNOWN
from boxmask.names import class_name


def labels_of_model(
    class_names: Sequence[str], selection: ClassSelection, known: Sequence[str]
) -> Int[np.ndarray, " M"]:
    """The model's label of each of the data set's M classes, or UNKNOWN.

    selection: the classes of the training, and their new names
    known:     the model's classes
    """
    try:
        choice = selection.choose(class_names)
    except UsageError:  # the data set has none of the classes of the training
        return np.full(len(class_names), UNKNOWN)
    index = {class_name(name): label for label, name in enumerate(known)}
    labels = np.array([index.get(class_name(name), UNKNOWN) for name in choice.names])
    return np.where(choice.label_of == LEFT_OUT, UNKNOWN, labels[choice.label_of])

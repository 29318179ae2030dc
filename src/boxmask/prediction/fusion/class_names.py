"""The classes of several models as one list. Classes are matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from boxmask.names import class_name


@dataclass(frozen=True)
class JoinedClasses:
    """The K classes that at least one of M models knows, in the order in which they are first named.

    names:  the K names
    labels: for each model, the joined label of each of its labels
    """

    names: tuple[str, ...]
    labels: tuple[Int[np.ndarray, " k"], ...]

    @staticmethod
    def of(models: Sequence[Sequence[str]]) -> JoinedClasses:
        """Join the class names of models. Unicode forms and outer spaces make no difference."""
        names: dict[str, str] = {}
        for model in models:
            for name in model:
                names.setdefault(class_name(name), name)
        index = {key: label for label, key in enumerate(names)}
        labels = [np.array([index[class_name(name)] for name in model], dtype=np.int64) for model in models]
        return JoinedClasses(tuple(names.values()), tuple(labels))

    @property
    def known(self) -> Bool[np.ndarray, "M K"]:
        """Which model knows which class."""
        known = np.zeros((len(self.labels), len(self.names)), dtype=np.bool_)
        for row, labels in zip(known, self.labels, strict=True):
            row[labels] = True
        return known

"""The class of a whole photo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from boxmask.types.checks import check_array, equal_fields, mismatch, to_array

if TYPE_CHECKING:
    from jaxtyping import Float
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Classification:
    """The class scores of one photo.

    scores:      (K,) float32 in 0..1, one per class; they sum to 1
    class_names: the K names
    photo:       the path or PIL image that was classified; None for arrays and tensors

    Tensors become arrays.
    """

    scores: Float[np.ndarray, " K"]
    class_names: tuple[str, ...]
    photo: Path | str | Image | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError for fields that do not fit together."""
        object.__setattr__(self, "scores", to_array(self.scores))
        if not self.class_names:
            raise mismatch("class_names", "at least one", 0)
        check_array("scores", self.scores, np.dtype(np.float32), (len(self.class_names),))
        total = float(self.scores.sum())
        valid = bool((self.scores >= 0).all()) and abs(total - 1) < 1e-3  # False for NaN
        if not valid:
            raise mismatch("scores", "0 or more, and 1 in all", self.scores[:5].tolist())

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        ranked = ", ".join(f"{name} {score:.2f}" for name, score in self.top(3))
        return f"Classification({ranked})"

    @property
    def label(self) -> int:
        """The label of the most likely class; of equal scores, the first."""
        return int(self.scores.argmax())

    @property
    def name(self) -> str:
        """The name of the most likely class."""
        return self.class_names[self.label]

    @property
    def score(self) -> float:
        """The score of the most likely class."""
        return float(self.scores[self.label])

    def top(self, count: int) -> list[tuple[str, float]]:
        """Names and scores of the `count` most likely classes, highest score first."""
        order = np.argsort(-self.scores, kind="stable")[: max(0, count)]
        return [(self.class_names[label], float(self.scores[label])) for label in order.tolist()]

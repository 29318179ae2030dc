"""What splits are made of: photos by name, and how much of each class each of them shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class SplitDataset(Protocol):
    """Labeled photos as far as splits go: `Dataset` and `SegmentationDataset`.

    UNIT: what `counts` counts
    """

    UNIT: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def root(self) -> Path:
        """The folder that `files` are relative to."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K names."""

    @property
    def files(self) -> NDArray[np.str_]:
        """(P,) the photos."""

    @property
    def splits(self) -> NDArray[np.str_]:
        """(P,) "train", "val", "test", or "" where nothing is said."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed while reading."""

    def __len__(self) -> int: ...

    def counts(self) -> NDArray[np.int64]:
        """(P, K) how much of each class each photo shows."""

    def subset(self: SplitDatasetT, photos: NDArray[np.int64]) -> SplitDatasetT:
        """Only the given photos."""


SplitDatasetT = TypeVar("SplitDatasetT", bound=SplitDataset)

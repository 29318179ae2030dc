"""What a data set must offer to be split: photos by name, and how often each shows each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from boxmask.data.draw import SPLITS as SPLITS
from boxmask.data.draw import Draw
from boxmask.data.seen import Seen


class SplitDataset(Protocol):
    """Labeled photos that can be split: a `DetectionDataset` or a `SegmentationDataset`.

    UNIT: what `counts` counts, in the plural
    """

    UNIT: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def root(self) -> Path:
        """The folder that `files` are relative to."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K class names."""

    @property
    def files(self) -> NDArray[np.str_]:
        """(P,) paths of the photos."""

    @property
    def splits(self) -> NDArray[np.str_]:
        """(P,) "train", "val" or "test"; "" for a photo in no split."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks from reading the labels."""

    @property
    def draw(self) -> Draw | None:
        """How the splits were drawn; None if they were given."""

    @property
    def seen(self) -> Mapping[str, Seen] | None:
        """Where the evaluated model has seen photos in training; None if that is not known."""

    def __len__(self) -> int: ...

    def counts(self) -> NDArray[np.int64]:
        """(P, K) objects or pixels of each class in each photo."""

    def subset(self: SplitDatasetT, photos: NDArray[np.int64]) -> SplitDatasetT:
        """The photos with the given indices, in that order."""


SplitDatasetT = TypeVar("SplitDatasetT", bound=SplitDataset)

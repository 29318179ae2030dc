"""The class of every pixel of one photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from boxmask.masks import IGNORED
from boxmask.missing_packages import needs_packages
from boxmask.types.checks import check_array, class_indices, equal_fields, mismatch, to_array

if TYPE_CHECKING:
    import pandas
    from jaxtyping import Bool, UInt8
    from PIL.Image import Image
    from torch import Tensor

    from boxmask.photos.read import Photo


@dataclass(frozen=True, slots=True, eq=False)
class ClassRegion:
    """The pixels of one class.

    name:  the class name
    share: the fraction of the photo, 0..1
    mask:  (H, W) bool
    """

    name: str
    share: float
    mask: Bool[np.ndarray, "H W"] = field(repr=False)

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SegmentationMap:
    """The class of every pixel of one photo.

    labels:      (H, W) uint8, 0..K-1, as large as the photo; IGNORED where a filter removed the class
    class_names: the K names that `labels` index
    photo:       the path or PIL image it belongs to, on which `plot` draws; None for arrays and tensors

    The labels are a numpy array; a tensor becomes one.

    `len(label_map)` counts the classes that occur, and iterating gives their `ClassRegion`, the largest
    first. `label_map["road"]` is the mask of a class, and `label_map[mask]` keeps the pixels of a mask.
    """

    labels: UInt8[np.ndarray, "H W"]
    class_names: tuple[str, ...]
    photo: Path | str | Image | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError for labels that are not counted by the class names."""
        object.__setattr__(self, "labels", to_array(self.labels))
        check_array("labels", self.labels, np.dtype(np.uint8), (None, None))
        k = len(self.class_names)
        highest = int(self.labels.max(initial=0))
        if highest == IGNORED:
            highest = int(self.labels.max(initial=0, where=self.labels != IGNORED))
        if highest >= k:
            raise mismatch("labels", f"0..{k - 1}", highest)

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        height, width = self.size
        shares = ", ".join(f"{name} {share:.1%}" for name, share in self.shares().items())
        return f"SegmentationMap({width}x{height} pixels: {shares})"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the photo."""
        return int(self.labels.shape[0]), int(self.labels.shape[1])

    def shares(self) -> dict[str, float]:
        """The fraction of the photo that each class takes up, by name; the largest first."""
        counts = np.bincount(self.labels.ravel(), minlength=IGNORED + 1)[: len(self.class_names)]
        parts = dict(zip(self.class_names, (counts / max(1, self.labels.size)).tolist(), strict=True))
        return {name: part for name, part in sorted(parts.items(), key=lambda item: -item[1]) if part}

    # ---------------------------------------------------------------- one and some

    def __len__(self) -> int:
        return len(self.shares())

    def __iter__(self) -> Iterator[ClassRegion]:
        return (ClassRegion(name, share, self[name]) for name, share in self.shares().items())

    @overload
    def __getitem__(self, key: str) -> Bool[np.ndarray, "H W"]: ...

    @overload
    def __getitem__(self, key: int) -> ClassRegion: ...

    @overload
    def __getitem__(self, key: Tensor | np.ndarray) -> SegmentationMap: ...

    def __getitem__(
        self, key: str | int | Tensor | np.ndarray
    ) -> Bool[np.ndarray, "H W"] | ClassRegion | SegmentationMap:
        """A name gives the class's mask, a number its region, and a mask (H, W) the map inside of it."""
        if isinstance(key, str):
            return np.asarray(self.labels == class_indices(key, self.class_names)[0])
        if isinstance(key, int | np.integer):
            return list(self)[key]
        mask = to_array(key)
        check_array("mask", mask, np.dtype(np.bool_), self.size)
        return SegmentationMap(np.where(mask, self.labels, np.uint8(IGNORED)), self.class_names, self.photo)

    def filter(self, *, names: str | Sequence[str]) -> SegmentationMap:
        """The map with the pixels of these classes only; the others become IGNORED.

        Raises UsageError for a name that the segmenter does not know.
        """
        return self[np.isin(self.labels, class_indices(names, self.class_names))]

    # ---------------------------------------------------------------- shown and written

    @needs_packages("plot")
    def plot(self, photo: Photo | None = None) -> Image:
        """The photo tinted by class, with a legend below, as a PIL image.

        photo: what to draw on; needed where the map comes from an array or a tensor
        """
        from boxmask.visualization.plot import plot_label_map

        return plot_label_map(self, photo)

    def _repr_png_(self) -> bytes | None:
        """The picture that notebooks show, where the photo is known and can be drawn on."""
        if self.photo is None or find_spec("supervision") is None:
            return None
        from boxmask.visualization.plot import png

        return png(self.plot())

    def save(self, path: str | Path) -> None:
        """Write a file by its suffix: .png (the labels, with a palette) or .csv (shares).

        Raises UsageError for another suffix.
        """
        from boxmask.results.save import save_segmentation_map

        save_segmentation_map(self, Path(path))

    def to_pandas(self) -> pandas.DataFrame:
        """A table with one row per class that occurs: name, share of the photo, pixels.

        Raises UsageError where pandas is not installed.
        """
        from boxmask.results.table import data_frame, share_rows

        return data_frame(share_rows(self))

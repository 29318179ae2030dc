"""The objects that a detector found in one photo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from boxmask.errors import UsageError
from boxmask.masks import IGNORED, Masks
from boxmask.missing_packages import needs_packages
from boxmask.supervision_import import import_supervision
from boxmask.types.checks import (
    check_array,
    check_min_score,
    class_indices,
    equal_fields,
    mismatch,
    to_array,
)
from boxmask.types.segmentation_map import SegmentationMap

if TYPE_CHECKING:
    import pandas
    import supervision
    from jaxtyping import Bool, Float, Int
    from PIL.Image import Image
    from torch import Tensor

    from boxmask.photos.read import Photo


@dataclass(frozen=True, slots=True)
class Detection:
    """One found object.

    box:   x1, y1, x2, y2 in pixels of the photo
    score: 0..1
    name:  the class name
    label: the class index, 0..K-1
    masks: the one mask of the object; None from detectors that find boxes only
    """

    box: tuple[float, float, float, float]
    score: float
    name: str
    label: int
    masks: Masks | None = field(default=None, repr=False)

    @property
    def mask(self) -> Bool[np.ndarray, "H W"] | None:
        """The object's pixels, as large as the photo."""
        return None if self.masks is None else self.masks.dense()[0]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Detections:
    """The objects found in one photo, highest score first.

    boxes:       (N, 4) float32 xyxy in pixels of the photo, inside it
    scores:      (N,) float32 in 0..1, descending
    labels:      (N,) int64, 0..K-1
    class_names: the K names that `labels` index
    size:        (height, width) of the photo
    masks:       of the N objects, in pixels of the photo; None from detectors that find boxes only
    photo:       the path or PIL image they were found in, on which `plot` draws; None for arrays and
                 tensors

    The fields are numpy arrays; tensors become arrays.

    `len(detections)` counts the objects, iterating gives one `Detection` after another, `detections[0]` is
    the first, and `detections[detections.scores > 0.5]` selects some.
    """

    boxes: Float[np.ndarray, "N 4"]
    scores: Float[np.ndarray, " N"]
    labels: Int[np.ndarray, " N"]
    class_names: tuple[str, ...]
    size: tuple[int, int]
    masks: Masks | None = None
    photo: Path | str | Image | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError for fields that do not fit together."""
        for name in ("boxes", "scores", "labels"):
            if not isinstance(values := getattr(self, name), np.ndarray):
                object.__setattr__(self, name, to_array(values))
        n, k = len(self.boxes), len(self.class_names)
        check_array("boxes", self.boxes, np.dtype(np.float32), (None, 4))
        check_array("scores", self.scores, np.dtype(np.float32), (n,))
        check_array("labels", self.labels, np.dtype(np.int64), (n,))
        if n:
            low, high = int(self.labels.min()), int(self.labels.max())
            if low < 0 or high >= k:
                raise mismatch("labels", f"0..{k - 1}", (low, high))
        if self.masks is not None:
            found = (len(self.masks), *self.masks.size)
            if found != (n, *self.size):
                raise mismatch("masks", str((n, *self.size)), found)

    __eq__ = equal_fields
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        height, width = self.size
        counts = ", ".join(f"{count} {name}" for name, count in Counter(self.names).most_common())
        scores = f": {counts}; scores {self.scores[-1]:.2f} to {self.scores[0]:.2f}" if len(self) else ""
        return f"Detections({len(self)} in {width}x{height} pixels{scores})"

    # ---------------------------------------------------------------- one and some

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Detection]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, rows: int) -> Detection: ...

    @overload
    def __getitem__(self, rows: slice | Sequence[int] | Tensor | np.ndarray) -> Detections: ...

    def __getitem__(self, rows: Any) -> Detection | Detections:
        """An index gives a `Detection`; a slice, a mask or several indices give `Detections`.

        Raises UsageError for a class name: `filter` takes names.
        """
        if isinstance(rows, str):
            raise UsageError(
                f"detections[{rows!r}]: expected an index, a slice or a mask, found a name. "
                f"Select classes with detections.filter(names={rows!r})."
            )
        if isinstance(rows, int | np.integer):
            return self._detection(range(len(self))[rows])
        if not isinstance(rows, slice):
            rows = to_array(rows)
            rows = rows if rows.size else rows.astype(np.int64)
        masks = self.masks and self.masks[rows]
        selected = (self.boxes[rows], self.scores[rows], self.labels[rows])
        return Detections(*selected, self.class_names, self.size, masks, self.photo)

    def _detection(self, row: int) -> Detection:
        x1, y1, x2, y2 = self.boxes[row].tolist()
        label = int(self.labels[row])
        mask = self.masks and self.masks[row : row + 1]
        return Detection((x1, y1, x2, y2), float(self.scores[row]), self.class_names[label], label, mask)

    @property
    def names(self) -> list[str]:
        """The class name of each detection."""
        return [self.class_names[label] for label in self.labels.tolist()]

    def filter(self, *, names: str | Sequence[str] | None = None, min_score: float = 0.0) -> Detections:
        """The detections of the given classes with at least `min_score`. By default, all classes.

        Raises UsageError for a name that the detector does not know, and for a score outside 0..1.
        """
        check_min_score(min_score)
        keep = self.scores >= min_score
        if names is not None:
            labels = class_indices(names, self.class_names)
            keep = keep & np.isin(self.labels, labels)
        return self[keep]

    # ---------------------------------------------------------------- shown and written

    @needs_packages("plot")
    def plot(self, photo: Photo | None = None, *, min_score: float = 0.0) -> Image:
        """The photo with boxes or masks, names and scores drawn on it, as a PIL image.

        photo: what to draw on; needed where the detections come from an array or a tensor
        """
        from boxmask.visualization.plot import plot_detections

        return plot_detections(self, photo, min_score)

    def crops(self, photo: Photo | None = None) -> list[Image]:
        """Each object cut out of the photo by its box, as a PIL image.

        photo: what to cut from; needed where the detections come from an array or a tensor
        """
        from boxmask.visualization.result_photo import crop_detections

        return crop_detections(self, photo)

    def _repr_png_(self) -> bytes | None:
        """The picture that notebooks show, where the photo is known and can be drawn on."""
        if self.photo is None or find_spec("supervision") is None:
            return None
        from boxmask.visualization.plot import png

        return png(self.plot())

    def save(self, path: str | Path) -> None:
        """Write a file by its suffix: .json (COCO), .csv (a table), .jpg or .png (a picture).

        Raises UsageError for another suffix.
        """
        from boxmask.results.save import save_detections

        save_detections(self, Path(path))

    def to_pandas(self) -> pandas.DataFrame:
        """A table with one row per detection: name, score, x1, y1, x2, y2, and area if there are masks.

        Raises UsageError where pandas is not installed.
        """
        from boxmask.results.table import data_frame, detection_rows

        return data_frame(detection_rows(self))

    def to_segmentation_map(self) -> SegmentationMap:
        """The class of every pixel: "background", or the class of the object with the highest score there.

        Raises UsageError for detections without masks, and for 255 classes or more.
        """
        if self.masks is None:
            raise UsageError("these detections have boxes only; a label map needs masks (mask-rcnn)")
        if len(self.class_names) >= IGNORED:
            raise UsageError(f"a segmentation map has at most {IGNORED - 1} classes besides the background")
        labels = self.masks.paint((self.labels + 1).astype(np.uint8))
        return SegmentationMap(labels, ("background", *self.class_names), self.photo)

    @needs_packages("to_supervision", "Install it with: pip install supervision")
    def to_supervision(self) -> supervision.Detections:
        """The same as `supervision.Detections`, with the class names in `data["class_name"]`."""
        converted: supervision.Detections = import_supervision().Detections(
            xyxy=self.boxes,
            mask=None if self.masks is None else self.masks.dense(),
            confidence=self.scores,
            class_id=self.labels,
            data={"class_name": np.array(self.names, dtype=str)},
        )
        return converted

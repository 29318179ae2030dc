"""Exported models: `predict` takes the same photos as that of a trained model, and gives the same results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
from PIL.Image import Image

from boxmask.errors import CheckpointError, UsageError
from boxmask.masks import Masks
from boxmask.photos.read import to_pixels
from boxmask.runtime.metadata import ExportMetadata
from boxmask.runtime.onnx_file import REMEDY
from boxmask.runtime.paste import paste_masks
from boxmask.runtime.session import Session
from boxmask.types import Classification, Detections, SegmentationMap
from boxmask.types.checks import to_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from boxmask.photos.read import Photo

MAX_SCORE = 1 + 1e-4  # softmax rounds

ResultT = TypeVar("ResultT", Detections, SegmentationMap, Classification)


class ExportedModel(ABC, Generic[ResultT]):
    """A model in an ONNX file, ready to `predict`.

    path:     the file
    metadata: what the file says about itself
    config:   the options of the model, as attributes
    propose:  finds the proposals in a photo (H, W, 3) for R-CNN and Fast R-CNN; None without boxmask's
              Selective Search
    """

    def __init__(self, metadata: ExportMetadata, session: Session) -> None:
        self.path, self.metadata, self._session = session.path, metadata, session
        self.propose: Callable[[NDArray[np.uint8]], Any] | None = None
        self.config: Any = SimpleNamespace(**metadata.config | {"class_names": metadata.class_names})

    @property
    def name(self) -> str:
        """The name of the method, for example "faster-rcnn"."""
        return self.metadata.model

    @property
    def needs_proposals(self) -> bool:
        """Whether the model is R-CNN or Fast R-CNN, which classify proposals."""
        return self._session.has_proposals

    @property
    def has_masks(self) -> bool:
        """Whether the model is a detector that finds masks."""
        return self._session.has_masks

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self.metadata.class_names

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name} with {len(self.class_names)} classes, {str(self.path)!r})"

    @overload
    def predict(self, photos: list[Any] | tuple[Any, ...], /, proposals: Any = None) -> list[ResultT]: ...

    @overload
    def predict(self, photos: Photo, /, proposals: Any = None) -> ResultT: ...

    def predict(self, photos: Any, /, proposals: Any = None) -> ResultT | list[ResultT]:
        """Photos (paths, PIL images, arrays or tensors) -> the result of each, in its own pixels.

        One photo gives one result, a list gives a list. The result of a photo does not depend on the others.
        Arrays and tensors are RGB. OpenCV reads BGR: pass `image[..., ::-1]`.
        `proposals`, for the models that need them, are boxes (P, 4) xyxy of one photo, or a list of them.
        Raises PhotoError for anything else than a photo, UsageError for proposals that do not fit, and
        CheckpointError if the file gives no valid result.
        """
        if not isinstance(photos, list | tuple):
            return self._predict_one(photos, proposals)
        given: Sequence[Any] = [None] * len(photos) if proposals is None else proposals
        if len(given) != len(photos):
            raise UsageError(f"proposals: expected one array per photo, found {len(given)} for {len(photos)}")
        return [self._predict_one(photo, boxes) for photo, boxes in zip(photos, given, strict=True)]

    def _predict_one(self, photo: Any, proposals: Any) -> ResultT:
        pixels = to_pixels(photo)
        outputs = self._session.run(pixels, self._proposals(pixels, proposals))
        kept = (
            photo if isinstance(photo, str | Path | Image) else None
        )  # arrays are not, as in `accepts_photos`
        height, width = pixels.shape[:2]
        try:
            return self._result(outputs, (height, width), kept)
        except ValueError as error:
            raise CheckpointError.in_file(
                self.path, f"this file returned an invalid result ({error}). {REMEDY}"
            ) from error

    def _proposals(self, pixels: NDArray[np.uint8], proposals: Any) -> NDArray[np.float32] | None:
        """The boxes as the file takes them. Raises UsageError if there are none."""
        if not self.needs_proposals:
            return None
        if proposals is None and self.propose is None:
            raise UsageError(
                f"{self.name} needs proposals: boxes that may contain an object. Pass them: "
                "predict(photo, proposals=boxes). The whole toolkit finds them itself: pip uninstall "
                "boxmask-runtime, then pip install boxmask."
            )
        if proposals is None and self.propose is not None:
            proposals = self.propose(pixels)
        boxes = np.ascontiguousarray(to_array(proposals), dtype=np.float32)
        if not boxes.size:
            return np.zeros((0, 4), dtype=np.float32)
        if boxes.shape[1:] != (4,) or not np.isfinite(boxes).all():
            raise UsageError(f"proposals: expected finite boxes (P, 4), found an array {boxes.shape}")
        return boxes

    @abstractmethod
    def _result(self, outputs: dict[str, Any], size: tuple[int, int], photo: Any) -> ResultT:
        """The result of one photo of (height, width)."""


class ExportedDetector(ExportedModel[Detections]):
    """A detector in an ONNX file."""

    def _result(self, outputs: dict[str, Any], size: tuple[int, int], photo: Any) -> Detections:
        boxes, scores, labels = (outputs[name] for name in ("boxes", "scores", "labels"))
        if outputs["counts"].tolist() != [len(boxes)]:
            raise ValueError(f"counts: expected {[len(boxes)]}, found {outputs['counts'].tolist()[:5]}")
        _check_objects(boxes, scores, size)
        masks = self._masks(outputs, size) if self._session.has_masks else None
        return Detections(boxes, scores, labels, self.class_names, size, masks, photo)

    def _masks(self, outputs: dict[str, Any], size: tuple[int, int]) -> Masks:
        if not len(outputs["boxes"]):
            return Masks.unknown(0, size)
        if not self._session.has_mask_scores:
            return Masks.from_dense(outputs["masks"])
        threshold = getattr(self.config, "mask_threshold", None)
        if not isinstance(threshold, int | float):
            raise ValueError(f"mask_threshold: expected a number, found {threshold!r}")
        return paste_masks(outputs["mask_scores"], outputs["boxes"], size, threshold)


def _check_objects(boxes: NDArray[np.float32], scores: NDArray[np.float32], size: tuple[int, int]) -> None:
    """Raise ValueError unless scores are 0 to 1 and descend, and boxes lie in the photo. NaN does neither."""
    if not ((scores >= 0) & (scores <= MAX_SCORE)).all():
        raise ValueError(f"scores: expected 0 to 1, found {scores[:5].tolist()}")
    if (scores[1:] > scores[:-1]).any():
        raise ValueError(f"scores: expected the highest first, found {scores[:5].tolist()}")
    height, width = size
    first, last = boxes[:, :2], boxes[:, 2:]
    outside = ~((first >= 0) & (first <= last) & (last <= (width, height))).all(axis=1)
    if outside.any():
        found = boxes[outside][0].tolist()
        raise ValueError(f"boxes: expected x1, y1, x2, y2 in a photo of {width}x{height}, found {found}")


class ExportedSegmenter(ExportedModel[SegmentationMap]):
    """A segmenter in an ONNX file."""

    def _result(self, outputs: dict[str, Any], size: tuple[int, int], photo: Any) -> SegmentationMap:
        (labels,) = outputs["label_map"]
        if labels.shape != size:
            raise ValueError(f"label_map: expected {size}, found {labels.shape}")
        return SegmentationMap(labels, self.class_names, photo)


class ExportedClassifier(ExportedModel[Classification]):
    """A classifier in an ONNX file."""

    def _result(self, outputs: dict[str, Any], size: tuple[int, int], photo: Any) -> Classification:
        (scores,) = outputs["scores"]
        return Classification(scores, self.class_names, photo)

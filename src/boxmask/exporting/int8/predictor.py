"""Run a file that is not written yet, as a detector, segmenter or classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime
from torch import Tensor

from boxmask.exporting.session import pack
from boxmask.photos.read import to_image
from boxmask.photos.rgb_tensors import to_uint8_array
from boxmask.runtime.paste import paste_masks
from boxmask.runtime.session import without_dense_masks
from boxmask.types import Classification, Detections, SegmentationMap

Feeds: TypeAlias = dict[str, Any]
"""The inputs of a file by name."""


class Predictor:
    """A file in memory. `predict` takes one photo, as that of the model does.

    config: of the model
    """

    def __init__(self, model: onnx.ModelProto, config: Any = None) -> None:
        self.config = config
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
        self._options = without_dense_masks(self.session)
        self.outputs = [output.name for output in self.session.get_outputs()]

    def run(self, feeds: Feeds, names: Sequence[str] | None = None) -> dict[str, Any]:
        """The outputs of these names, or all. Dense masks, which take gigabytes, are empty."""
        wanted = list(self.outputs if names is None else names)
        return dict(zip(wanted, self.session.run(wanted, feeds | self._options), strict=True))

    def predict(self, photo: Path | Tensor, proposals: Tensor | None = None) -> Any:
        """The result for one photo."""
        return predict_photo(self.run, self.config, photo, proposals)


def predict_photo(
    run: Callable[[Feeds], Mapping[str, Any]], config: Any, photo: Path | Tensor, proposals: Tensor | None
) -> Any:
    """The result for one photo of a file that `run` runs."""
    pixels = to_uint8_array(to_image(photo))
    outputs = run(feeds_of(pixels, proposals))
    names, size = config.class_names, (pixels.shape[0], pixels.shape[1])
    if "label_map" in outputs:
        return SegmentationMap(outputs["label_map"][0], names)
    if "boxes" not in outputs:
        return Classification(outputs["scores"][0], names)
    masks = None
    if "mask_scores" in outputs:
        masks = paste_masks(outputs["mask_scores"], outputs["boxes"], size, config.mask_threshold)
    return Detections(outputs["boxes"], outputs["scores"], outputs["labels"], names, size, masks)


def feeds_of(pixels: np.ndarray[Any, np.dtype[np.uint8]], proposals: Tensor | None = None) -> Feeds:
    """The inputs for one photo (H, W, 3), with its proposals if the model needs them."""
    return pack([pixels], None if proposals is None else [proposals.numpy()])

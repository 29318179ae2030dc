"""Label maps as pictures to lay over photos: the classes of labels and models, and the wrong pixels."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.masks import IGNORED
from boxmask.names import class_name
from boxmask.pages.pictures import PHOTO_SIDE, Picture
from boxmask.types import SegmentationMap
from boxmask.visualization.style import class_colors, is_background, rgb

_WRONG = (214, 0, 60)
_OTHER = 254
"""The label of a class that the data set does not have."""


@dataclass(frozen=True, slots=True)
class MapLayer:
    """The label map of one model. wrong: a picture of the wrong pixels; share: of the labeled pixels"""

    number: int
    classes: Picture
    wrong: Picture
    share: float


class LabelMapDrawer:
    """Draws the label maps of photos. The background is transparent."""

    def __init__(self, dataset: SegmentationDataset) -> None:
        self._dataset = dataset
        self._colors = np.zeros((256, 4), dtype=np.uint8)
        for label, color in enumerate(class_colors(dataset.class_names)):
            is_shown = not is_background(dataset.class_names[label])
            self._colors[label] = (*rgb(color), 255 * is_shown)
        self._colors[_OTHER] = (128, 128, 128, 255)

    def draw(
        self, photo: int, results: Sequence[SegmentationMap], name: str
    ) -> tuple[Picture, tuple[MapLayer, ...]]:
        """The labels, and the map of each model.

        name: with which the ids of the pictures begin
        """
        truth = self._dataset.target(photo).labels.numpy()
        layers = []
        for number, result in enumerate(results):
            labels = self._converted(result)
            is_labeled = truth != IGNORED
            wrong = is_labeled & (labels != truth)
            share = float(wrong.sum()) / max(1, int(is_labeled.sum()))
            classes = self._picture(f"{name}-m{number}", labels)
            layers.append(MapLayer(number, classes, _wrong_picture(f"{name}-w{number}", wrong), share))
        return self._picture(f"{name}-labels", truth), tuple(layers)

    def _converted(self, result: SegmentationMap) -> UInt8[np.ndarray, "H W"]:
        """The labels of the data set in place of those of the model."""
        index = {class_name(name): label for label, name in enumerate(self._dataset.class_names)}
        table = np.full(256, IGNORED, dtype=np.uint8)
        for label, name in enumerate(result.class_names):
            table[label] = index.get(class_name(name), _OTHER)
        return np.asarray(table[result.labels])

    def _picture(self, name: str, labels: UInt8[np.ndarray, "H W"]) -> Picture:
        return _encode(name, self._colors[_small(labels)], labels.shape)


def _wrong_picture(name: str, wrong: Bool[np.ndarray, "H W"]) -> Picture:
    small = _small(wrong.astype(np.uint8))
    pixels = np.zeros((*small.shape, 4), dtype=np.uint8)
    pixels[small > 0] = (*_WRONG, 255)
    return _encode(name, pixels, wrong.shape)


def _small(labels: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "h w"]:
    """The nearest labels at the size of a small picture."""
    height, width = labels.shape
    scale = min(1.0, PHOTO_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))


def _encode(name: str, pixels: UInt8[np.ndarray, "h w 4"], shape: Sequence[int]) -> Picture:
    """A lossless picture of a few kilobytes, with the size of its photo."""
    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "WEBP", lossless=True, quality=60, method=4)
    uri = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    return Picture(name, (0, 0, int(shape[1]), int(shape[0])), uri)

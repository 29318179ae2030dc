"""The interface of every segmenter: what training, evaluation, prediction and export rely on."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.model import Model
from boxmask.types import SegmentationMap, SegmentationTarget


class Segmenter(Model):
    """An interface, without behavior to inherit.

    `forward` is the raw network: normalized pixels (B, 3, H, W) -> logits (B, K, H, W).
    If the config's `tile` is 0, `predict` and `loss` resize photos to the config's sides. Otherwise photos
    keep their resolution: `predict` works in tiles of `tile` pixels, and `loss` expects tiles.
    Every config has antialias, tile, tile_overlap, class_weights and region_loss.
    """

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos (paths, PIL images, arrays or tensors) -> the label map of each at its own size.

        One photo gives one result, a list gives a list. The result of a photo does not depend on the others.
        Arrays and tensors are RGB. OpenCV reads BGR: pass `image[..., ::-1]`.
        """

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """Images (3, H, W) of any sizes and their labels (H, W) -> scalars named <stage>_<what>."""

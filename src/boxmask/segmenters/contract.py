"""What every segmenter is: what training, evaluation, prediction and export rely on, and nothing else."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from boxmask.photos.read import accepts_photos
from boxmask.pipeline.model import Model
from boxmask.types import SegmentationMap, SegmentationTarget


class Segmenter(Model):
    """An interface, without behavior to inherit.

    `forward` is the raw network: normalized pixels (B, 3, H, W) -> logits (B, K, H, W).
    Where the config's `tile` is 0, photos are resized to its sides, in `predict` and in `loss`. Elsewhere
    they keep their resolution: `predict` looks at them in tiles of so many pixels, and `loss` is given tiles.
    All configs have antialias, tile, tile_overlap, class_weights and region_loss.
    """

    @accepts_photos
    @abstractmethod
    def predict(self, images: list[Tensor]) -> list[SegmentationMap]:
        """Photos (paths, PIL images, arrays or tensors) -> the class of every pixel, at their own sizes."""

    @abstractmethod
    def loss(self, images: list[Tensor], targets: list[SegmentationTarget]) -> dict[str, Tensor]:
        """Images (3, H, W), of any sizes, and labels of the same sizes -> scalars named <stage>_<what>."""

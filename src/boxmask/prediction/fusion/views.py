"""Views: a model, and how it sees a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from jaxtyping import Shaped
from torch import Tensor

from boxmask.detectors.ssd import SSD
from boxmask.errors import UsageError
from boxmask.options import option
from boxmask.pipeline.model import Model, with_config
from boxmask.prediction.view_options import check_scales

ModelT = TypeVar("ModelT", bound=Model)


@dataclass(frozen=True)
class View(Generic[ModelT]):
    """A model, and whether it sees photos mirrored."""

    model: ModelT
    is_mirrored: bool = False

    def image(self, image: Shaped[Tensor, "3 H W"]) -> Shaped[Tensor, "3 H W"]:
        """What the model sees of a photo (3, H, W)."""
        return image.flip(-1) if self.is_mirrored else image


def views_of(models: Sequence[ModelT], scales: Sequence[float] | None = None) -> list[View[ModelT]]:
    """One view of each model, or with test-time augmentation, two at each scale: as it is and mirrored.

    scales: of the photo in the network, as factors of the size in training; None: no augmentation. Models
            that see photos in tiles at their own resolution have one scale only.

    Raises UsageError for scales out of range, and as `rescaled` does.
    """
    if scales is None:
        return [View(model) for model in models]
    check_scales(scales)
    views = []
    for model in models:
        for scale in [1.0] if getattr(model.config, "tile", 0) else dict.fromkeys(scales):
            scaled = model if scale == 1 else rescaled(model, scale)
            views += [View(scaled), View(scaled, is_mirrored=True)]
    return views


def rescaled(model: ModelT, scale: float) -> ModelT:
    """The same network, which sees photos larger or smaller.

    Raises UsageError for an exported file, and for a network that cannot see them at this size.
    """
    if not isinstance(model, Model):
        raise UsageError(
            f"{option('tta')}: an ONNX file has a fixed photo size. Add --tta-scales 1 (in Python: "
            "tta_scales=(1.0,)), or use the run that it was exported from."
        )
    sides = {
        name: max(1, round(getattr(model.config, name) * scale)) for name in ("shorter_side", "longer_side")
    }
    scaled = with_config(model, **sides)
    if not _can_see(scaled):
        raise UsageError(
            f"{option('tta')}: this model cannot see photos at {scale:g} times the size of its training. Add "
            "--tta-scales 1 (in Python: tta_scales=(1.0,))."
        )
    return scaled


def _can_see(model: Model) -> bool:
    """Whether the network works at its size. An SSD may have layers or default boxes that fit one alone."""
    if not isinstance(model, SSD):
        return True
    if model.config.default_box_strides:
        return False
    try:
        model.predict(torch.zeros(3, 8, 8, dtype=torch.uint8))
    except UsageError:
        return False
    return True

"""What a photo looks like to a trained backbone: one vector per photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional as F

from boxmask.photos.read import to_image

SIDE = 224  # pixels: the sides of the square that every photo is resized to


@torch.inference_mode()
def photo_features(model: Any, photo: Path) -> Float[np.ndarray, " C"]:
    """The mean of the coarsest map of the model's backbone, scaled to length 1.

    Raises PhotoError if the photo cannot be read.
    """
    backbone = _backbone(model)
    device = backbone.mean.device
    pixels = to_image(photo)[None].to(device, torch.float32) / 255
    resized = F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", antialias=True)
    normalized = (resized - backbone.mean.view(1, 3, 1, 1)) / backbone.std.view(1, 3, 1, 1)
    features = backbone(normalized)[-1].mean(dim=(2, 3))[0]
    vector: Float[np.ndarray, " C"] = F.normalize(features, dim=0).cpu().numpy()
    return vector


def _backbone(model: Any) -> Any:
    """The backbone of a model, or of the detector inside it, as in Mask R-CNN."""
    return next(part.backbone for part in model.modules() if hasattr(part, "backbone"))

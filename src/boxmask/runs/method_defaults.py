"""Defaults of a recipe that depend on the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CropPolicy = Literal["jitter", "large-jitter", "ssd"]


@dataclass(frozen=True)
class MethodDefaults:
    """Defaults that depend on the method; measured in docs/how-to/choose-a-recipe.md."""

    learning_rate: float = 8e-4
    frozen_stages: int = 2
    crop_policy: CropPolicy = "jitter"


METHOD_DEFAULTS: dict[str, MethodDefaults] = {
    "ssd": MethodDefaults(frozen_stages=1),  # its heads read C3 without a pyramid that could adapt it
    "unet": MethodDefaults(learning_rate=1.5e-3),  # half of the network is new
    "deeplab-v3": MethodDefaults(learning_rate=1.5e-3),
}

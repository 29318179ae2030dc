"""The table of segmenters: what each is called, how it is built, and whose numbers it can be built with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from boxmask.segmenters import deeplab_v3, fcn, unet
from boxmask.segmenters.contract import Segmenter


@dataclass(frozen=True)
class Entry:
    """One paper: the frozen config, the presets of it, and the module that it builds."""

    config: type[Any]
    build: Callable[[Any, dict[str, Tensor] | None], Segmenter]
    presets: dict[str, dict[str, object]]


SEGMENTERS: dict[str, Entry] = {
    "fcn": Entry(fcn.FCNConfig, fcn.FCN, fcn.PRESETS),
    "unet": Entry(unet.UNetConfig, unet.UNet, unet.PRESETS),
    "deeplab-v3": Entry(deeplab_v3.DeepLabV3Config, deeplab_v3.DeepLabV3, deeplab_v3.PRESETS),
}

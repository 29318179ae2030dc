"""The table of segmenters: name -> config, network and presets."""

from __future__ import annotations

from boxmask.pipeline.model import ModelEntry
from boxmask.segmenters import deeplab_v3, fcn, unet

SEGMENTERS: dict[str, ModelEntry] = {
    "fcn": ModelEntry(fcn.FCNConfig, fcn.FCN, fcn.PRESETS),
    "unet": ModelEntry(unet.UNetConfig, unet.UNet, unet.PRESETS),
    "deeplab-v3": ModelEntry(deeplab_v3.DeepLabV3Config, deeplab_v3.DeepLabV3, deeplab_v3.PRESETS),
}

"""The table of segmenters: name -> config, network and presets."""

from __future__ import annotations

from boxmask.pipeline.model import Entry
from boxmask.segmenters import deeplab_v3, fcn, unet

SEGMENTERS: dict[str, Entry] = {
    "fcn": Entry(fcn.FCNConfig, fcn.FCN, fcn.PRESETS),
    "unet": Entry(unet.UNetConfig, unet.UNet, unet.PRESETS),
    "deeplab-v3": Entry(deeplab_v3.DeepLabV3Config, deeplab_v3.DeepLabV3, deeplab_v3.PRESETS),
}

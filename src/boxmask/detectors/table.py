"""The table of detectors: name -> config, network and presets."""

from __future__ import annotations

from boxmask.detectors import presets
from boxmask.detectors.fast_rcnn import FastRCNN, FastRCNNConfig
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.detectors.fcos import FCOS, FCOSConfig
from boxmask.detectors.mask_rcnn import MaskRCNN, MaskRCNNConfig
from boxmask.detectors.rcnn import RCNN, RCNNConfig
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.detectors.ssd import SSD, SSDConfig
from boxmask.pipeline.model import ModelEntry

DETECTORS: dict[str, ModelEntry] = {
    "rcnn": ModelEntry(RCNNConfig, RCNN, presets.RCNN),
    "fast-rcnn": ModelEntry(FastRCNNConfig, FastRCNN, presets.FAST_RCNN),
    "faster-rcnn": ModelEntry(FasterRCNNConfig, FasterRCNN, presets.FASTER_RCNN),
    "mask-rcnn": ModelEntry(MaskRCNNConfig, MaskRCNN, presets.MASK_RCNN),
    "retinanet": ModelEntry(RetinaNetConfig, RetinaNet, presets.RETINANET),
    "fcos": ModelEntry(FCOSConfig, FCOS, presets.FCOS),
    "ssd": ModelEntry(SSDConfig, SSD, presets.SSD),
}

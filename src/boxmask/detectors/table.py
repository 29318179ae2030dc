"""The table of detectors: what each is called, and how it is built."""

from __future__ import annotations

from boxmask.detectors import presets
from boxmask.detectors.fast_rcnn import FastRCNN, FastRCNNConfig
from boxmask.detectors.faster_rcnn import FasterRCNN, FasterRCNNConfig
from boxmask.detectors.fcos import FCOS, FCOSConfig
from boxmask.detectors.mask_rcnn import MaskRCNN, MaskRCNNConfig
from boxmask.detectors.rcnn import RCNN, RCNNConfig
from boxmask.detectors.retinanet import RetinaNet, RetinaNetConfig
from boxmask.detectors.ssd import SSD, SSDConfig
from boxmask.pipeline.model import Entry

DETECTORS: dict[str, Entry] = {
    "rcnn": Entry(RCNNConfig, RCNN, presets.RCNN),
    "fast-rcnn": Entry(FastRCNNConfig, FastRCNN, presets.FAST_RCNN),
    "faster-rcnn": Entry(FasterRCNNConfig, FasterRCNN, presets.FASTER_RCNN),
    "mask-rcnn": Entry(MaskRCNNConfig, MaskRCNN, presets.MASK_RCNN),
    "retinanet": Entry(RetinaNetConfig, RetinaNet, presets.RETINANET),
    "fcos": Entry(FCOSConfig, FCOS, presets.FCOS),
    "ssd": Entry(SSDConfig, SSD, presets.SSD),
}

"""The table of detectors: what each is called, and how it is built."""

from __future__ import annotations

from boxmask.detectors import fast_rcnn, faster_rcnn, fcos, mask_rcnn, rcnn, retinanet, ssd
from boxmask.pipeline.model import Entry

DETECTORS: dict[str, Entry] = {
    "rcnn": Entry(rcnn.RCNNConfig, rcnn.RCNN, rcnn.PRESETS),
    "fast-rcnn": Entry(fast_rcnn.FastRCNNConfig, fast_rcnn.FastRCNN, fast_rcnn.PRESETS),
    "faster-rcnn": Entry(faster_rcnn.FasterRCNNConfig, faster_rcnn.FasterRCNN, faster_rcnn.PRESETS),
    "mask-rcnn": Entry(mask_rcnn.MaskRCNNConfig, mask_rcnn.MaskRCNN, mask_rcnn.PRESETS),
    "retinanet": Entry(retinanet.RetinaNetConfig, retinanet.RetinaNet, retinanet.PRESETS),
    "fcos": Entry(fcos.FCOSConfig, fcos.FCOS, fcos.PRESETS),
    "ssd": Entry(ssd.SSDConfig, ssd.SSD, ssd.PRESETS),
}

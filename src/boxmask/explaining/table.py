"""How each model is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from boxmask.explaining.classification.classifier import explain_classifier
from boxmask.explaining.contract import Result, Stage
from boxmask.explaining.detection.fast_rcnn import explain_fast_rcnn
from boxmask.explaining.detection.faster_rcnn import explain_faster_rcnn
from boxmask.explaining.detection.fcos import explain_fcos
from boxmask.explaining.detection.mask_rcnn import explain_mask_rcnn
from boxmask.explaining.detection.rcnn import explain_rcnn
from boxmask.explaining.detection.retinanet import explain_retinanet
from boxmask.explaining.detection.ssd import explain_ssd
from boxmask.explaining.photo_view import PhotoView
from boxmask.explaining.segmentation.deeplab_v3 import explain_deeplab_v3
from boxmask.explaining.segmentation.fcn import explain_fcn
from boxmask.explaining.segmentation.unet import explain_unet

EXPLAINERS: dict[str, Callable[[Any, PhotoView], tuple[list[Stage], Result]]] = {
    "rcnn": explain_rcnn,
    "fast-rcnn": explain_fast_rcnn,
    "faster-rcnn": explain_faster_rcnn,
    "mask-rcnn": explain_mask_rcnn,
    "retinanet": explain_retinanet,
    "fcos": explain_fcos,
    "ssd": explain_ssd,
    "fcn": explain_fcn,
    "unet": explain_unet,
    "deeplab-v3": explain_deeplab_v3,
    "classifier": explain_classifier,
}

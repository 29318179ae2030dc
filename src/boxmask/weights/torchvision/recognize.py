"""Which of torchvision's networks a state dict belongs to, by its keys."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

RESNET101_BLOCK = "backbone.layer3.22.conv1.weight"  # ResNet-50 has six blocks in this stage


def recognize_network(state: Mapping[str, Tensor], file_name: str = "") -> str | None:
    """torchvision's name of the detector or segmenter that the weights belong to; None if there is none.

    file_name: tells two networks apart that differ in the size of their photos alone
    """
    if "roi_heads.box_predictor.cls_score.bias" in state:
        return _two_stage(state, file_name)
    if "head.regression_head.bbox_ctrness.bias" in state:
        return "fcos_resnet50_fpn"
    if "head.classification_head.cls_logits.bias" in state:
        has_norm = "head.classification_head.conv.0.1.weight" in state
        return "retinanet_resnet50_fpn_v2" if has_norm else "retinanet_resnet50_fpn"
    if "head.classification_head.module_list.0.1.bias" in state:
        return "ssdlite320_mobilenet_v3_large"
    if "head.classification_head.module_list.0.bias" in state:
        return "ssd300_vgg16"
    return _segmenter(state) if "classifier.4.bias" in state else None


def _two_stage(state: Mapping[str, Tensor], file_name: str) -> str:
    if "backbone.body.0.0.weight" in state:
        size = "_320" if "_320_" in file_name else ""
        return f"fasterrcnn_mobilenet_v3_large{size}_fpn"
    has_masks = "roi_heads.mask_predictor.mask_fcn_logits.bias" in state
    version = "_v2" if "rpn.head.conv.1.0.weight" in state else ""
    return f"{'maskrcnn' if has_masks else 'fasterrcnn'}_resnet50_fpn{version}"


def _segmenter(state: Mapping[str, Tensor]) -> str | None:
    has_aspp = "classifier.0.convs.0.0.weight" in state
    if "backbone.0.0.weight" in state:
        return "deeplabv3_mobilenet_v3_large" if has_aspp else None
    if "backbone.layer1.0.conv1.weight" not in state:
        return None
    depth = 101 if RESNET101_BLOCK in state else 50
    return f"{'deeplabv3' if has_aspp else 'fcn'}_resnet{depth}"

"""FCN and DeepLabv3 from torchvision's weights. Its background is a class like others, the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from boxmask.errors import WeightsError
from boxmask.segmenters import deeplab_v3, fcn
from boxmask.segmenters.deeplab_v3 import DeepLabV3, DeepLabV3Config
from boxmask.segmenters.fcn import FCN, FCNConfig
from boxmask.weights.torchvision.key_table import fill, rename

MOBILENET = "deeplabv3_mobilenet_v3_large"
BODY, LAST, AUXILIARY = "backbone.", "classifier.4.", "aux_classifier."

EVERYWHERE = {"shorter_side": 520, "longer_side": 10_000, "antialias": True, "multiple_of": 1}
OF_DEEPLAB = {**deeplab_v3.PRESETS["paper"], **EVERYWHERE, "last_conv": True, "dropout": 0.5}
NUMBERS: dict[str, dict[str, Any]] = {  # torchvision's
    "fcn_resnet50": {**fcn.PRESETS["dilated"], **EVERYWHERE},
    "fcn_resnet101": {**fcn.PRESETS["dilated"], **EVERYWHERE, "backbone": "resnet101"},
    "deeplabv3_resnet50": {**OF_DEEPLAB, "output_stride": 8},
    "deeplabv3_resnet101": {**OF_DEEPLAB, "output_stride": 8, "backbone": "resnet101"},
    MOBILENET: {**OF_DEEPLAB, "backbone": deeplab_v3.MOBILENET, "atrous_rates": (12, 24, 36)},
}
NAMES = tuple(NUMBERS)

OF_AUXILIARY = {  # the start of torchvision's key -> the start of ours
    r"aux_classifier\.([01])\.": r"auxiliary_head.0.\1.",
    r"aux_classifier\.4\.": "auxiliary_head.2.",
}
LAYERS = {
    "fcn": {**OF_AUXILIARY, r"classifier\.([01])\.": r"head.0.\1.", r"classifier\.4\.": "head.2."},
    "deeplabv3": {
        **OF_AUXILIARY,
        r"classifier\.0\.convs\.([0123])\.": r"aspp.branches.\1.",
        r"classifier\.0\.convs\.4\.1\.": "aspp.image_pooling.0.",  # 0 is the mean
        r"classifier\.0\.convs\.4\.2\.": "aspp.image_pooling.1.",
        r"classifier\.0\.project\.": "aspp.project.",
        r"classifier\.1\.": "head.0.0.",
        r"classifier\.2\.": "head.0.1.",
        r"classifier\.4\.": "head.1.",
    },
}


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, with the background; WeightsError where there is no such head."""
    if f"{LAST}bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its head is missing")
    return len(state_dict[f"{LAST}bias"])


def class_names(count: int) -> tuple[str, ...]:
    """Those of Pascal VOC in torchvision's order, where the number fits."""
    from torchvision.models.segmentation import FCN_ResNet50_Weights

    names = FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"]
    return tuple(names) if count == len(names) else tuple(f"class {label}" for label in range(count))


def segmenter_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> FCN | DeepLabV3:
    """An FCN or DeepLabv3 of ours with torchvision's weights; see `from_torchvision`."""
    body = {k.removeprefix(BODY): v for k, v in state_dict.items() if k.startswith(BODY)}
    heads = {k: v for k, v in state_dict.items() if not k.startswith(BODY)}
    if batch_norm_eps is not None:
        raise WeightsError(f"torchvision's {name} has its own epsilon: leave batch_norm_eps out")
    auxiliary = 0.5 if any(key.startswith(AUXILIARY) for key in heads) else 0.0
    numbers = {**NUMBERS[name], "auxiliary": auxiliary}
    state = rename(heads, LAYERS[name.partition("_")[0]])
    if name.startswith("fcn"):
        return fill(FCN(FCNConfig(class_names, **numbers), body), state, name)
    if name == MOBILENET:
        body = {f"features.{key}": tensor for key, tensor in body.items()}
    return fill(DeepLabV3(DeepLabV3Config(class_names, **numbers), body), state, name)

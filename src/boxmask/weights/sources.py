"""What --init names: a run, a checkpoint, published weights, or a file of torchvision's or timm's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from boxmask.errors import CheckpointError, WeightsError
from boxmask.file_kinds import is_file
from boxmask.messages import format_count
from boxmask.torchvision_import import timm
from boxmask.weights.checkpoint import is_checkpoint
from boxmask.weights.efficientnet_lite import to_timm
from boxmask.weights.imagenet import backbone_weights
from boxmask.weights.pretrained import Pretrained
from boxmask.weights.published.load import load_published
from boxmask.weights.published.manifest import (
    BUNDLED,
    TIMM,
    TORCHVISION,
    is_published_name,
    published_weights,
)
from boxmask.weights.state_dict import read_state_dict
from boxmask.weights.torchvision.convert import from_torchvision
from boxmask.weights.torchvision.recognize import recognize_network


def read_source(source: str, backbone: str | None = None) -> Pretrained:
    """The weights that a user names. What a file holds is recognized by its keys.

    backbone: timm's name of the network, for files with timm's weights

    Raises CheckpointError for a run or checkpoint that is missing or damaged, and WeightsError for names that
    are unknown or cannot be downloaded, and for files that cannot be read or hold other weights.
    """
    path = Path(source)
    if is_published_name(path):
        return _from_name(path.as_posix())
    if not is_file(path) or is_checkpoint(path):
        return _from_run(path)
    state = read_state_dict(path)
    if (network := recognize_network(state, path.name)) is not None:
        return _from_torchvision(network, state, path)
    if "_conv_stem.weight" in state:
        return Pretrained(source, backbone or BUNDLED, to_timm(state))
    name = backbone or recognize_backbone(state)
    if name is not None:
        return Pretrained(source, name, state)
    raise WeightsError(
        f"{path}: these weights ({_describe(state)}) are of no network that boxmask knows. Give a run, a "
        "checkpoint, a file of torchvision's detection or segmentation networks, a name from boxmask weights "
        "list, or a file of timm's weights with the name of their network: --backbone NAME."
    )


def _from_name(name: str) -> Pretrained:
    if name.startswith(TIMM):
        backbone = name.removeprefix(TIMM)
        return Pretrained(name, backbone, backbone_weights(backbone) or {})
    return Pretrained.from_model(load_published(name, "cpu"), name)


def _from_run(path: Path) -> Pretrained:
    """From a run or checkpoint. Raises CheckpointError, with the full name of weights that may be meant."""
    try:
        return Pretrained.from_run(path)
    except CheckpointError as error:
        name = f"{TORCHVISION}{path.as_posix()}"
        if name in published_weights():
            raise CheckpointError(f"{error} The published weights are called {name}.") from error
        raise


def _from_torchvision(network: str, state: Mapping[str, Tensor], path: Path) -> Pretrained:
    """From a file of torchvision's own, whose name tells its epsilon, or from a training with torchvision."""
    published = [entry for entry in published_weights().values() if entry.file.path.name == path.name]
    eps = published[0].batch_norm_eps if published else None
    return Pretrained.from_model(from_torchvision(network, state, batch_norm_eps=eps), str(path))


def recognize_backbone(state: Mapping[str, Tensor]) -> str | None:
    """Which backbone of the manifest the weights are of, by names and shapes; None if it is none of them."""
    shapes = _kernel_shapes(state)
    for name in published_weights():
        if name.startswith(TIMM):
            with torch.device("meta"):
                network = timm.create_model(name.removeprefix(TIMM))
            if _kernel_shapes(network.state_dict()) == shapes:
                return name.removeprefix(TIMM)
    return None


def _kernel_shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    """The shapes of convolutions, which do not depend on the classes."""
    return {key: tensor.shape for key, tensor in state.items() if tensor.ndim == 4}


def _describe(state: Mapping[str, Tensor]) -> str:
    first = next(iter(state), "")
    return f"{format_count(len(state), 'tensor')}{f', the first {first}' if first else ''}"

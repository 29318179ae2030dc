"""Backbones: the feature maps of any timm network, for detectors, segmenters and classifiers."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from boxmask.errors import UsageError, WeightsError
from boxmask.messages import one_line
from boxmask.pipeline.features.folded_norm import fold_batch_norm
from boxmask.pipeline.random_numbers import SeededRandomNumbers
from boxmask.torchvision_import import timm


class Backbone(nn.Module):
    """(B, 3, H, W) -> one map per stride, each (B, C, H / stride, W / stride).

    Batch norm is frozen, because small batches would spoil its statistics, and computed inside the
    convolution before it.

    name:     timm's name of the network
    strides:  the maps to return, finest first, for example (4, 8, 16, 32) for C2..C5
    weights:  timm's state dict of the network, with or without classifier, or None for random weights
    output_stride: 8 or 16: maps of a larger stride keep this one, and their convolutions are dilated instead
              ("à trous"); `strides` still lists their undilated strides. 32: no dilation

    Raises UsageError if timm has no such network, or the network has no map of a stride or no dilated form,
    and WeightsError if the weights do not fit.
    """

    mean: Tensor
    std: Tensor
    strides: tuple[int, ...]

    def __init__(
        self, name: str, strides: tuple[int, ...], weights: dict[str, Tensor] | None, output_stride: int = 32
    ) -> None:
        super().__init__()
        self.strides = strides
        undilated = _create(name).feature_info
        reductions: list[int] = undilated.reduction()
        missing = [stride for stride in strides if stride not in reductions]
        if missing:
            raise UsageError(f"backbone {name} has no map of stride {missing}; it has strides {reductions}")
        last_of_stride = {reduction: index for index, reduction in enumerate(reductions)}
        indices = tuple(last_of_stride[stride] for stride in strides)
        body = (
            _create(name, indices) if output_stride == 32 else _create_dilated(name, indices, output_stride)
        )
        _drop_blocks_after(body, str(body.feature_info.module_name()[-1]))
        if weights is not None:
            _load(body, weights, name)
        self.channels: list[int] = body.feature_info.channels()
        # the module that each stage ends with; stage n ends with the map of stride 2 ** (n + 1), C2 for n = 1
        self.stage_ends = {int(info["reduction"]): str(info["module"]) for info in undilated.info}
        self.register_buffer("mean", torch.tensor(body.pretrained_cfg["mean"]))
        self.register_buffer("std", torch.tensor(body.pretrained_cfg["std"]))
        self.body = _folded(body, name)

    def freeze(self, stages: int) -> None:
        """Freeze everything up to the end of stage `stages` (1: C2, 4: C5); 0 trains everything.

        Raises UsageError if the network has no such stage.
        """
        self.body.requires_grad_(True)
        if stages == 0:
            return
        if 2 ** (stages + 1) not in self.stage_ends:
            strides = ", ".join(map(str, self.stage_ends))
            raise UsageError(
                f"this backbone has no stage {stages} to freeze; its maps have strides {strides}"
            )
        last = _flat(self.stage_ends[2 ** (stages + 1)])
        reached = False
        for name, module in self.body.named_modules():  # a stage may end with a module without weights
            inside = _flat(name) == last or _flat(name).startswith(f"{last}_")
            if reached and not inside:
                return
            reached = reached or inside
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Maps from fine to coarse."""
        maps: list[Tensor] = self.body(pixels)
        return maps


def backbone_strides(name: str) -> list[int]:
    """The strides of the maps of a network, finest first. Raises UsageError if timm has no such network."""
    with SeededRandomNumbers(0):  # the network draws weights, and is dropped
        reductions: list[int] = _create(name).feature_info.reduction()
    return reductions


def _drop_blocks_after(body: nn.Module, last: str) -> None:
    """Remove the blocks after the last map, which some of timm's networks keep and run."""
    container, _, number = last.rpartition(".")
    blocks = getattr(body, container, None)
    if isinstance(blocks, nn.Sequential) and number.isdigit():
        setattr(body, container, blocks[: int(number) + 1])


def _flat(name: str) -> str:
    """A layer's name as in timm's flattened feature networks: "features.0" becomes "features_0"."""
    return name.replace(".", "_")


def _folded(body: nn.Module, name: str) -> nn.Module:
    """Freeze and fold its batch norms. Raises UsageError if the network does not allow it."""
    try:
        return fold_batch_norm(body)
    except (RuntimeError, ValueError, AssertionError) as error:  # for example, the input size is fixed
        advice = "Choose a convolutional network."
        raise UsageError(f"backbone {name} cannot be used: {str(error).rstrip('.')}. {advice}") from error


def _load(body: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Load strictly, except for layers after the last map."""
    keys = {_flat(key): key for key in body.state_dict()}
    fitting = {keys[_flat(key)]: tensor for key, tensor in weights.items() if _flat(key) in keys}
    try:
        missing = body.load_state_dict(fitting, strict=False).missing_keys
    except RuntimeError as error:  # shapes differ
        raise WeightsError(f"these weights do not fit {name}: {one_line(error)}") from error
    if missing:
        raise WeightsError(
            f"these weights do not fit {name}: {len(missing)} tensors are missing, first {missing[0]}"
        )


def _create_dilated(name: str, out_indices: tuple[int, ...], output_stride: int) -> Any:
    """The dilated form of a network. Raises UsageError if it has none."""
    if output_stride not in (8, 16):
        raise UsageError(f"output stride {output_stride}: expected 8, 16 or 32")
    try:
        body = timm.create_model(
            name, pretrained=False, features_only=True, out_indices=out_indices, output_stride=output_stride
        )
    except (
        AssertionError,
        TypeError,
        ValueError,
        NotImplementedError,
    ) as error:  # timm's, for networks without one
        advice = "Give --backbone resnet50 or tf_efficientnet_lite0, or an output stride of 32."
        raise UsageError(f"backbone {name} has no form of output stride {output_stride}. {advice}") from error
    return body


def _create(name: str, out_indices: tuple[int, ...] | None = None) -> Any:
    """Build the network without weights. Raises UsageError, with similar names, if timm cannot."""
    selected = {"out_indices": out_indices} if out_indices else {}
    try:
        return timm.create_model(name, pretrained=False, features_only=True, **selected)
    except (RuntimeError, AttributeError, NotImplementedError) as error:
        near = get_close_matches(name, timm.list_models(), n=5)
        hint = f"similar names: {', '.join(near)}" if near else "see timm.list_models()"
        raise UsageError(f"backbone {name!r} cannot be built by timm ({error}); {hint}") from error

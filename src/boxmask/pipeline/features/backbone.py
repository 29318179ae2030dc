"""Backbones: any network of timm, cut into the maps that detectors and segmenters read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import timm
import torch
from torch import Tensor, nn

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.folded_norm import fold_batch_norm


class Backbone(nn.Module):
    """(B, 3, H, W) -> one map a stride, each (B, C, H / stride, W / stride).

    name:    timm's name of the network
    strides: which maps are wanted, finest first, for example (4, 8, 16, 32) for C2..C5
    weights: timm's state dict of the whole network (its classifier is not needed), or None for random ones
    coarsest: 8 or 16: maps that would have a larger stride keep this one, and their convolutions are dilated
             instead ("à trous"); `strides` names them as if they were not. 32: none are

    Batch norm is frozen (small batches would spoil its statistics) and computed inside the convolution
    before it. Raises UsageError where timm has no such network, the network no map of such a stride or no
    dilated form, and WeightsError where the weights are of another network.
    """

    mean: Tensor
    std: Tensor
    strides: tuple[int, ...]

    def __init__(
        self, name: str, strides: tuple[int, ...], weights: dict[str, Tensor] | None, coarsest: int = 32
    ) -> None:
        super().__init__()
        self.strides = strides
        undilated = _create(name).feature_info
        reductions: list[int] = undilated.reduction()
        missing = [stride for stride in strides if stride not in reductions]
        if missing:
            raise UsageError(f"backbone {name}: it has no map of stride {missing}; it has {reductions}")
        last_of_stride = {reduction: index for index, reduction in enumerate(reductions)}
        indices = tuple(last_of_stride[stride] for stride in strides)
        body = _create(name, indices) if coarsest == 32 else _create_dilated(name, indices, coarsest)
        _drop_behind(body, str(body.feature_info.module_name()[-1]))
        if weights is not None:
            _load(body, weights, name)
        self.channels: list[int] = body.feature_info.channels()
        # where each stage ends: stage n is what lies up to the map of stride 2 ** (n + 1), C2 for n = 1
        self.stage_ends = {int(info["reduction"]): str(info["module"]) for info in undilated.info}
        self.register_buffer(
            "mean", torch.tensor(body.pretrained_cfg["mean"])
        )  # of what it was pretrained on
        self.register_buffer("std", torch.tensor(body.pretrained_cfg["std"]))
        self.body = _folded(body, name)

    def freeze(self, stages: int) -> None:
        """Train nothing up to the end of stage `stages` (C2 is 1, C5 is 4); 0 trains everything.

        Raises UsageError where the network has no such stage.
        """
        self.body.requires_grad_(True)
        if stages == 0:
            return
        if 2 ** (stages + 1) not in self.stage_ends:
            strides = ", ".join(map(str, self.stage_ends))
            raise UsageError(f"this backbone has no stage {stages} to freeze; its maps: strides {strides}")
        last = _flat(self.stage_ends[2 ** (stages + 1)])
        reached = False
        for name, module in self.body.named_modules():  # modules, as a stage may end with one without weights
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


def _drop_behind(body: nn.Module, last: str) -> None:
    """Take away the blocks behind the module of the last map, which some of timm's networks keep and run."""
    container, _, number = last.rpartition(".")
    blocks = getattr(body, container, None)
    if isinstance(blocks, nn.Sequential) and number.isdigit():
        setattr(body, container, blocks[: int(number) + 1])


def _flat(name: str) -> str:
    """A layer's name as timm writes it in networks that it cuts at the maps: "features.0" is "features_0"."""
    return name.replace(".", "_")


def _folded(body: nn.Module, name: str) -> nn.Module:
    """Freeze its batch norms, or say that this network cannot be used."""
    try:
        return fold_batch_norm(body)
    except (RuntimeError, ValueError, AssertionError) as error:  # what networks of one fixed size may raise
        advice = "Choose a convolutional network."
        raise UsageError(f"backbone {name} cannot be used: {str(error).rstrip('.')}. {advice}") from error


def _load(body: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Strict, but for layers behind the last map that is read."""
    own = {_flat(key): key for key in body.state_dict()}
    fitting = {own[_flat(key)]: tensor for key, tensor in weights.items() if _flat(key) in own}
    try:
        missing = body.load_state_dict(fitting, strict=False).missing_keys
    except RuntimeError as error:  # shapes differ
        raise WeightsError(f"these weights are not of {name}: {error}") from error
    if missing:
        raise WeightsError(
            f"these weights are not of {name}: {len(missing)} tensors are missing, first {missing[0]}"
        )


def _create_dilated(name: str, out_indices: tuple[int, ...], coarsest: int) -> Any:
    """The form of a network whose maps are no coarser than `coarsest`; UsageError where it has none."""
    if coarsest not in (8, 16):
        raise UsageError(f"output stride {coarsest}: expected 8, 16 or 32")
    try:
        body = timm.create_model(
            name, pretrained=False, features_only=True, out_indices=out_indices, output_stride=coarsest
        )
    except (AssertionError, TypeError, ValueError, NotImplementedError) as error:  # timm's, of those without
        advice = "Give --backbone resnet50 or tf_efficientnet_lite0, or an output stride of 32."
        raise UsageError(f"backbone {name} has no form of output stride {coarsest}. {advice}") from error
    return body


def _create(name: str, out_indices: tuple[int, ...] | None = None) -> Any:
    """Build without weights; timm's own message names what it could not find."""
    which = {"out_indices": out_indices} if out_indices else {}
    try:
        return timm.create_model(name, pretrained=False, features_only=True, **which)
    except (RuntimeError, AttributeError, NotImplementedError) as error:
        near = get_close_matches(name, timm.list_models(), n=5)
        hint = f"near names: {', '.join(near)}" if near else "see timm.list_models()"
        raise UsageError(f"backbone {name!r} cannot be built by timm ({error}); {hint}") from error

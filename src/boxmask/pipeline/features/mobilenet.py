"""MobileNetV3-Large: split inside a block for SSDLite, dilated for DeepLabv3, and whole for Faster R-CNN.

Howard et al. 2019 (arXiv:1905.02244), section 6.3: the finer map of SSDLite is the expansion layer of the
block that goes from stride 16 to 32, and the blocks of stride 32 may have half of their channels. The network
is torchvision's, because timm does not offer these forms.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from boxmask.errors import UsageError, WeightsError
from boxmask.messages import one_line
from boxmask.pipeline.features.backbone import Backbone
from boxmask.pipeline.features.folded_norm import fold_batch_norm
from boxmask.torchvision_import import timm, torchvision

STRIDE_32_BLOCK = 13  # the block that goes from stride 16 to 32
MOBILENET = "mobilenet_v3_large"  # its name in --backbone, which timm does not use
STAGE_STARTS = (4, 7, 13, 17)  # the first block after the maps of stride 4, 8, 16 and 32
COARSE_STRIDES = (32, 32)  # of the two maps for Faster R-CNN
AUXILIARY_BLOCK = 4  # the block that goes from stride 4 to 8, whose map torchvision's auxiliary head reads


class MobileNetV3(nn.Module):
    """(B, 3, H, W) -> a map of stride 16 (672 channels) and one of stride 32 (480 channels, or 960).

    reduced: whether the last blocks have half of their channels
    weights: torchvision's state dict (the classifier is not needed), or None for random weights
    Batch norm is frozen. Raises WeightsError if the weights belong to another network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, reduced: bool, weights: dict[str, Tensor] | None) -> None:
        super().__init__()
        blocks = _blocks(weights, reduced_tail=reduced)
        self.channels: list[int] = [blocks[STRIDE_32_BLOCK].block[0].out_channels, blocks[-1].out_channels]
        self.register_buffer("mean", torch.full((3,), 0.5))  # torchvision's SSDLite
        self.register_buffer("std", torch.full((3,), 0.5))
        self.body = fold_batch_norm(_SplitBlocks(blocks))

    def freeze(self, stages: int) -> None:
        """Freeze everything up to the map of stride 2 ** (stages + 1): 1 is stride 4; 0 freezes nothing."""
        _freeze(self, stages)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Both maps, the finer first."""
        maps: list[Tensor] = self.body(pixels)
        return maps


class _MobileNetMaps(nn.Module):
    """The maps after some of the blocks of a MobileNetV3, for photos normalized as ImageNet's."""

    mean: Tensor
    std: Tensor

    def __init__(self, blocks: Any, outputs: list[int]) -> None:
        super().__init__()
        self.channels: list[int] = [blocks[index].out_channels for index in outputs]
        self.register_buffer("mean", torch.tensor(timm.data.IMAGENET_DEFAULT_MEAN))
        self.register_buffer("std", torch.tensor(timm.data.IMAGENET_DEFAULT_STD))
        self.body = fold_batch_norm(_SelectedBlocks(blocks, outputs))

    def freeze(self, stages: int) -> None:
        """Freeze everything up to the map that has stride 2 ** (stages + 1) without dilation; 0: nothing."""
        _freeze(self, stages)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """The maps, in the order of their blocks."""
        maps: list[Tensor] = self.body(pixels)
        return maps


class DilatedMobileNetV3(_MobileNetMaps):
    """(B, 3, H, W) -> a map of stride 16 (960 channels); with `auxiliary`, before it one of stride 8 (40).

    The blocks that would have stride 32 are dilated, including the first one, which timm does not dilate.
    weights, errors: like MobileNetV3
    """

    def __init__(self, weights: dict[str, Tensor] | None, auxiliary: bool) -> None:
        blocks = _blocks(weights, dilated=True)
        last = len(blocks) - 1
        super().__init__(blocks, [AUXILIARY_BLOCK, last] if auxiliary else [last])


class CoarseMobileNetV3(_MobileNetMaps):
    """(B, 3, H, W) -> two maps of stride 32 (160 and 960 channels): the first and the last, as torchvision's.

    weights, errors: like MobileNetV3
    """

    def __init__(self, weights: dict[str, Tensor] | None) -> None:
        blocks = _blocks(weights)
        super().__init__(blocks, [STRIDE_32_BLOCK, len(blocks) - 1])


def make_backbone(
    name: str, strides: tuple[int, ...], weights: dict[str, Tensor] | None
) -> Backbone | CoarseMobileNetV3:
    """Faster R-CNN's backbone: a network of timm, or torchvision's MobileNetV3-Large with its coarse maps.

    Raises UsageError if the network has no map of a stride, and WeightsError if the weights do not fit.
    """
    if name != MOBILENET:
        return Backbone(name, strides, weights)
    if strides != COARSE_STRIDES:
        raise UsageError(f"backbone {MOBILENET} has maps of strides {COARSE_STRIDES}, found {strides}")
    return CoarseMobileNetV3(weights)


def _blocks(weights: dict[str, Tensor] | None, **options: bool) -> Any:
    """The blocks of torchvision's network, built with `options`."""
    blocks: Any = torchvision.models.mobilenet_v3_large(weights=None, **options).features
    if weights is not None:
        prefix = "features."
        state = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        try:
            blocks.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(
                f"these weights do not fit torchvision's MobileNetV3: {one_line(error)}"
            ) from error
    return blocks


def _freeze(network: MobileNetV3 | _MobileNetMaps, stages: int) -> None:
    network.requires_grad_(True)
    if stages > len(STAGE_STARTS):
        raise UsageError(f"this backbone has no stage {stages} to freeze; it has 1 to {len(STAGE_STARTS)}")
    if stages > 0:
        blocks: Any = network.body.features
        blocks[: STAGE_STARTS[stages - 1]].requires_grad_(False)


class _SplitBlocks(nn.Module):
    """The expansion layer of the block that goes to stride 32, and the last map."""

    def __init__(self, blocks: nn.Sequential) -> None:
        super().__init__()
        self.features = blocks

    def forward(self, x: Tensor) -> list[Tensor]:
        for block in self.features[:STRIDE_32_BLOCK]:
            x = block(x)
        strided: Any = self.features[STRIDE_32_BLOCK]
        expand, *rest = strided.block
        expanded = x = expand(x)
        for layer in [*rest, *self.features[STRIDE_32_BLOCK + 1 :]]:
            x = layer(x)
        return [expanded, x]


class _SelectedBlocks(nn.Module):
    """The outputs of some of the blocks."""

    def __init__(self, blocks: nn.Sequential, outputs: list[int]) -> None:
        super().__init__()
        self.features, self.outputs = blocks, outputs

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for index, block in enumerate(self.features):
            x = block(x)
            if index in self.outputs:
                maps.append(x)
        return maps

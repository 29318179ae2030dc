"""MobileNetV3-Large as SSDLite reads it, inside a block and at the end, and dilated as DeepLabv3 does.

Howard et al. 2019 (arXiv:1905.02244), section 6.3: the finer map is the expansion of the block that goes from
stride 16 to 32; and in front of the detector the blocks of stride 32 may have half of their channels. The
network is torchvision's, as timm's has neither.
"""

from __future__ import annotations

from typing import Any

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large

from boxmask.errors import UsageError, WeightsError
from boxmask.pipeline.features.folded_norm import fold_batch_norm

LAST_STRIDED = 13  # the block that goes from stride 16 to 32
STAGE_STARTS = (4, 7, 13, 17)  # the first block behind the maps of stride 4, 8, 16 and 32
EARLIER = 4  # the block that goes from stride 4 to 8, which torchvision's auxiliary head looks at


class MobileNetV3(nn.Module):
    """(B, 3, H, W) -> a map of stride 16 (672 channels) and one of stride 32 (480, or 960).

    reduced: whether the last blocks have half of their channels
    weights: torchvision's state dict of the network (its classifier is not needed), or None for random ones.
    Batch norm is frozen. Raises WeightsError where the weights are of another network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, reduced: bool, weights: dict[str, Tensor] | None) -> None:
        super().__init__()
        features = _features(weights, reduced_tail=reduced)
        self.channels: list[int] = [features[LAST_STRIDED].block[0].out_channels, features[-1].out_channels]
        self.register_buffer("mean", torch.full((3,), 0.5))  # torchvision's SSDLite
        self.register_buffer("std", torch.full((3,), 0.5))
        self.body = fold_batch_norm(_Taps(features))

    def freeze(self, stages: int) -> None:
        """Train nothing up to the map of stride 2 ** (stages + 1), 4 for the first; 0 trains everything."""
        _freeze(self, stages)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Both maps, the finer first."""
        maps: list[Tensor] = self.body(pixels)
        return maps


class DilatedMobileNetV3(nn.Module):
    """(B, 3, H, W) -> a map of stride 16 (960 channels), and before it, if wanted, one of stride 8 (40).

    The blocks that would have stride 32 are dilated, their first one, too (timm's would not be).
    weights and errors: as of MobileNetV3
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: dict[str, Tensor] | None, earlier: bool) -> None:
        super().__init__()
        features = _features(weights, dilated=True)
        blocks = [EARLIER, len(features) - 1] if earlier else [len(features) - 1]
        self.channels: list[int] = [features[block].out_channels for block in blocks]
        self.register_buffer("mean", torch.tensor(IMAGENET_DEFAULT_MEAN))
        self.register_buffer("std", torch.tensor(IMAGENET_DEFAULT_STD))
        self.body = fold_batch_norm(_Ends(features, blocks))

    def freeze(self, stages: int) -> None:
        """Train nothing up to the map that would have stride 2 ** (stages + 1); 0 trains everything."""
        _freeze(self, stages)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """The maps, the finer first."""
        maps: list[Tensor] = self.body(pixels)
        return maps


def _features(weights: dict[str, Tensor] | None, **form: bool) -> Any:
    """The network's blocks."""
    features: Any = mobilenet_v3_large(weights=None, **form).features
    if weights is not None:
        prefix = "features."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        try:
            features.load_state_dict(own)
        except RuntimeError as error:
            raise WeightsError(f"these weights are not of torchvision's MobileNetV3: {error}") from error
    return features


def _freeze(network: MobileNetV3 | DilatedMobileNetV3, stages: int) -> None:
    network.requires_grad_(True)
    if stages > len(STAGE_STARTS):
        raise UsageError(f"this backbone has no stage {stages} to freeze; it has 1 to {len(STAGE_STARTS)}")
    if stages > 0:
        blocks: Any = network.body.features
        blocks[: STAGE_STARTS[stages - 1]].requires_grad_(False)


class _Taps(nn.Module):
    def __init__(self, features: nn.Sequential) -> None:
        super().__init__()
        self.features = features

    def forward(self, x: Tensor) -> list[Tensor]:
        for block in self.features[:LAST_STRIDED]:
            x = block(x)
        strided: Any = self.features[LAST_STRIDED]
        expand, *rest = strided.block
        expanded = x = expand(x)
        for layer in [*rest, *self.features[LAST_STRIDED + 1 :]]:
            x = layer(x)
        return [expanded, x]


class _Ends(nn.Module):
    """The maps that some blocks end with."""

    def __init__(self, features: nn.Sequential, blocks: list[int]) -> None:
        super().__init__()
        self.features, self.blocks = features, blocks

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for number, block in enumerate(self.features):
            x = block(x)
            if number in self.blocks:
                maps.append(x)
        return maps

"""VGG16 as SSD uses it (Liu et al. 2016, arXiv:1512.02325, section 3): conv4_3, and a dilated fc7.

fc6 and fc7 become convolutions with weights subsampled from the pretrained layers. pool5 keeps the size of
the map, and fc6 is dilated ("à trous") to cover the same part of the photo as before.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.errors import UsageError, WeightsError
from boxmask.messages import one_line
from boxmask.pipeline.features.vgg_classifier import vgg_layer
from boxmask.pipeline.layers import Conv3x3
from boxmask.torchvision_import import timm

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # channels of VGG16
FC_CHANNELS = 1024  # of fc6 and fc7; 4096 in VGG16
FC_STEP = 4  # every fourth channel of VGG16's fc6 and fc7 is kept
DILATION = 6  # of fc6 as a convolution
L2_SCALE = 20.0  # section 3.1, after ParseNet


class L2Norm(nn.Module):
    """L2-normalize the features of each cell and scale each channel by a learned factor (section 3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), L2_SCALE))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return F.normalize(x) * self.scale[:, None, None]


class AtrousVGG16(nn.Module):
    """(B, 3, H, W) -> conv4_3, L2-normalized, of stride 8 (512 channels), and fc7 of stride 16 (1024).

    weights: state dict of timm's vgg16, with or without its classifier, or None for random weights
    Raises WeightsError if they belong to another network.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: dict[str, Tensor] | None) -> None:
        super().__init__()
        self.features = nn.Sequential(*_layers())  # the same keys as timm's and torchvision's VGG16
        self.l2_norm = L2Norm(STAGES[3][-1])
        self.fc6 = nn.Conv2d(STAGES[4][-1], FC_CHANNELS, 3, padding=DILATION, dilation=DILATION)
        self.fc7 = nn.Conv2d(FC_CHANNELS, FC_CHANNELS, 1)
        self.channels = [STAGES[3][-1], FC_CHANNELS]
        self.register_buffer("mean", torch.tensor(timm.data.IMAGENET_DEFAULT_MEAN))
        self.register_buffer("std", torch.tensor(timm.data.IMAGENET_DEFAULT_STD))
        # conv1 to conv5 each end with a pooling layer
        self.pools = [n for n, layer in enumerate(self.features) if isinstance(layer, nn.MaxPool2d)]
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
        if weights is not None:
            self._load(weights)

    def freeze(self, stages: int) -> None:
        """Freeze everything up to a stage: 1 is conv3, 2 conv4, 3 conv5, 4 fc7; 0 freezes nothing."""
        self.requires_grad_(True)
        if stages > 4:
            raise UsageError(f"this backbone has no stage {stages} to freeze; it has 1 to 4")
        if stages > 0:
            self.features[: self.pools[min(stages + 1, 4)]].requires_grad_(False)
        if stages == 4:
            self.fc6.requires_grad_(False)
            self.fc7.requires_grad_(False)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Both maps, the finer first."""
        conv4, x = pixels, pixels
        for index, layer in enumerate(self.features):
            if index == self.pools[3]:
                conv4 = x
            x = layer(x)
        return [self.l2_norm(conv4), F.relu(self.fc7(F.relu(self.fc6(x))))]

    @torch.no_grad()
    def _load(self, weights: dict[str, Tensor]) -> None:
        keys = self.features.state_dict()
        state = {key: weights[f"features.{key}"] for key in keys if f"features.{key}" in weights}
        try:
            self.features.load_state_dict(state)
        except RuntimeError as error:
            raise WeightsError(f"these weights do not fit vgg16: {one_line(error)}") from error
        wide = FC_STEP * FC_CHANNELS
        fc6 = vgg_layer(weights, "fc6", (wide, STAGES[4][-1], 7, 7))
        fc7 = vgg_layer(weights, "fc7", (wide, wide, 1, 1))
        if fc6 is not None and fc7 is not None:
            self.fc6.weight.copy_(fc6[0][::FC_STEP, :, ::3, ::3])
            self.fc7.weight.copy_(fc7[0][::FC_STEP, ::FC_STEP])
            for layer, (_, bias) in ((self.fc6, fc6), (self.fc7, fc7)):
                assert layer.bias is not None
                layer.bias.copy_(bias[::FC_STEP])


def _layers() -> list[nn.Module]:
    """conv1_1 to pool5. pool3 rounds up, so that 300 pixels give 38 cells (the authors' code)."""
    layers: list[nn.Module] = []
    channels = 3
    for stage, widths in enumerate(STAGES, start=1):
        for width in widths:
            layers += [Conv3x3(channels, width), nn.ReLU()]
            channels = width
        last = stage == len(STAGES)
        layers.append(nn.MaxPool2d(3, 1, 1) if last else nn.MaxPool2d(2, ceil_mode=stage == 3))
    return layers

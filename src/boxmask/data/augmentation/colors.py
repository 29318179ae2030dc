"""Random changes to the colors of a photo."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

# Milder than SSD's photometric distortion (Liu et al. 2016, section 2.2: contrast and saturation
# 0.5..1.5, hue ±0.05), which short trainings do not benefit from.
BRIGHTNESS = (0.8, 1.2)
CONTRAST = (0.7, 1.3)
SATURATION = (0.7, 1.3)
HUE = (-0.03, 0.03)  # turns of the color circle

_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = torch.linalg.inv(_YIQ)


def jitter_color(image: UInt8[Tensor, "3 H W"], generator: np.random.Generator) -> UInt8[Tensor, "3 H W"]:
    """Random brightness, contrast, saturation and hue, as one affine map of the colors.

    With brightness b, contrast c about the mean gray m, saturation S and hue H, a color x becomes
    c b H S x + (1 - c) b m. S and H keep grays, so m passes through them unchanged.
    """
    b, c, s, turn = (generator.uniform(*span) for span in (BRIGHTNESS, CONTRAST, SATURATION, HUE))
    mean_gray = _LUMA @ image[:, ::8, ::8].float().mean(dim=(1, 2))
    matrix = c * b * (_hue_matrix(turn) @ _saturation_matrix(s))
    offset = ((1 - c) * b * mean_gray + 0.5).expand(3, 1)  # + 0.5, because uint8 truncates
    colors = torch.addmm(offset, matrix, image.reshape(3, -1).float())
    # Via int32: on a CPU, torch converts float to uint8 six times more slowly.
    return colors.clamp_(0, 255).to(torch.int32).to(torch.uint8).view(image.shape)


def _saturation_matrix(saturation: float) -> Float[Tensor, "3 3"]:
    return saturation * torch.eye(3) + (1 - saturation) * _LUMA.expand(3, 3)


def _hue_matrix(turn: float) -> Float[Tensor, "3 3"]:
    """Rotate the color differences of the YIQ space about the gray axis."""
    cos, sin = math.cos(2 * math.pi * turn), math.sin(2 * math.pi * turn)
    rotation = torch.tensor([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix: Tensor = _RGB @ rotation @ _YIQ
    return matrix

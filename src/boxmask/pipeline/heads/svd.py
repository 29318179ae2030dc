"""Truncated SVD of a fully connected layer: two thin layers in place of a thick one.

Fast R-CNN (Girshick 2015, arXiv:1504.08083), section 3.1: with W ~ U S V^T of rank t, a layer of u x v
numbers becomes one of t x v, which holds S V^T and no bias, and one of u x t, which holds U and the bias.
"""

from __future__ import annotations

import torch
from torch import nn

from boxmask.pipeline.linear import Linear


def thin(inputs: int, outputs: int, rank: int) -> nn.Sequential:
    """Two layers in place of one of `inputs` x `outputs`, their numbers not set yet."""
    return nn.Sequential(Linear(inputs, rank), Linear(rank, outputs))


@torch.no_grad()
def truncated(layer: nn.Linear, rank: int) -> nn.Sequential:
    """The best two thin layers in place of `layer`, in the sense of least squares of the weights.

    rank: how many singular values are kept; at least 1 and at most the shorter side of the weights, at which
    nothing is lost
    """
    u, s, vt = torch.linalg.svd(layer.weight.float(), full_matrices=False)
    first, second = Linear(layer.in_features, rank), Linear(rank, layer.out_features)
    first.weight.copy_(s[:rank, None] * vt[:rank])
    first.bias.zero_()
    second.weight.copy_(u[:, :rank])
    second.bias.copy_(layer.bias)
    return nn.Sequential(first, second).to(layer.weight.device)

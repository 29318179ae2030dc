"""The box head: classes and deltas of each RoI, as trained or compressed by truncated SVD."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.layers import Linear, RegionConvs


class BoxHead(nn.Module):
    """Two fully connected layers, then class logits and per-class deltas (Fast R-CNN, section 2, figure 1).

    The last column of the logits is the background. Deltas exist for the K classes only.

    svd_ranks: ranks of fc6 and fc7 if each is split into two thin layers (Fast R-CNN, section 3.1)
    convs:     number of 3x3 convolutions before fc6, in place of fc7, as in torchvision's second networks
    """

    def __init__(
        self,
        channels: int,
        num_classes: int,
        pool: int,
        hidden: int,
        svd_ranks: tuple[int, int] | None = None,
        convs: int = 0,
    ) -> None:
        super().__init__()
        self.convs = RegionConvs(channels, channels, convs)
        inputs = channels * pool * pool
        self.fc6 = thin_layers(inputs, hidden, svd_ranks[0]) if svd_ranks else Linear(inputs, hidden)
        second = thin_layers(hidden, hidden, svd_ranks[1]) if svd_ranks else Linear(hidden, hidden)
        self.fc7 = nn.Identity() if convs else second
        self.logits = nn.Linear(hidden, num_classes + 1)
        self.deltas = nn.Linear(hidden, num_classes * 4)
        nn.init.normal_(self.logits.weight, std=0.01)  # Fast R-CNN, section 2.3
        nn.init.normal_(self.deltas.weight, std=0.001)
        for layer in (self.logits, self.deltas):
            nn.init.zeros_(layer.bias)

    def forward(self, rois: Tensor) -> tuple[Tensor, Tensor]:
        """(R, C, pool, pool) -> logits (R, K + 1) and deltas (R, K, 4)."""
        hidden = F.relu(self.fc7(F.relu(self.fc6(self.convs(rois).flatten(1)))))
        deltas: Tensor = self.deltas(hidden)
        return self.logits(hidden), deltas.unflatten(1, (self.deltas.out_features // 4, 4))


# ---------------------------------------------------------------------- truncated SVD (section 3.1)


def compress_head(head: BoxHead, svd_ranks: tuple[int, int]) -> None:
    """Replace fc6 and fc7 by their truncated SVD of these ranks."""
    for name, rank in zip(("fc6", "fc7"), svd_ranks, strict=True):
        setattr(head, name, truncated_svd(getattr(head, name), rank))


def thin_layers(inputs: int, outputs: int, rank: int) -> nn.Sequential:
    """Two layers, `inputs` -> `rank` -> `outputs`, newly initialized."""
    return nn.Sequential(Linear(inputs, rank), Linear(rank, outputs))


@torch.no_grad()
def truncated_svd(layer: nn.Linear, rank: int) -> nn.Sequential:
    """The two thin layers that approximate `layer` best in the least-squares sense of the weights.

    With W ~ U S V^T of rank t, a layer of u x v weights becomes one of t x v, which holds S V^T and no bias,
    and one of u x t, which holds U and the bias.

    rank: singular values to keep, from 1 to the shorter side of the weights, at which nothing is lost
    """
    u, s, vt = torch.linalg.svd(layer.weight.float(), full_matrices=False)
    first, second = Linear(layer.in_features, rank), Linear(rank, layer.out_features)
    first.weight.copy_(s[:rank, None] * vt[:rank])
    first.bias.zero_()
    second.weight.copy_(u[:, :rank])
    second.bias.copy_(layer.bias)
    return nn.Sequential(first, second).to(layer.weight.device)

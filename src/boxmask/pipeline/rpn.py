"""The head of a Region Proposal Network: densely where it proposes, at single anchors where it learns."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.convolution import Conv3x3


class RPNHead(nn.Module):
    """Objectness and deltas for every anchor: a 3x3 convolution, then two 1x1 siblings.

    Ren et al. 2015 (arXiv:1506.01497), figure 3 and section 3.1.3.
    """

    def __init__(self, in_channels: int, channels: int, num_anchors: int) -> None:
        super().__init__()
        self.num_anchors = num_anchors
        self.conv = Conv3x3(in_channels, channels)
        self.objectness = nn.Conv2d(channels, num_anchors, 1)
        self.deltas = nn.Conv2d(channels, num_anchors * 4, 1)
        for layer in (self.conv, self.objectness, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)  # section 3.1.3
            nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """L maps (B, C, H, W) -> logits L x (B, H * W * A) and deltas L x (B, H * W * A, 4)."""
        hidden = [F.relu(self.conv(x)) for x in features]
        logits = [self.objectness(h).permute(0, 2, 3, 1).flatten(1) for h in hidden]
        deltas = [self.deltas(h).permute(0, 2, 3, 1).reshape(len(h), -1, 4) for h in hidden]
        return logits, deltas

    def at(
        self, features: list[Tensor], images: Int[Tensor, S], anchors: Int[Tensor, S]
    ) -> tuple[Float[Tensor, S], Float[Tensor, "S 4"]]:
        """What `forward` says of S anchors, without computing the rest: logits (S,) and deltas (S, 4).

        images, anchors: (S,) row in the batch, and number of the anchor in the image, over all levels.
        The loss looks at 256 of tens of thousands of anchors, and only these have a gradient: going back
        over every cell of every map would cost as much again as forward and pyramid together.
        """
        first = torch.tensor([0, *(self.num_anchors * x[0, 0].numel() for x in features)]).cumsum(0).tolist()
        found, rows = [], []
        for x, begin, end in zip(features, first, first[1:], strict=False):
            row = torch.where((anchors >= begin) & (anchors < end))[0]
            cell = (anchors[row] - begin) // self.num_anchors
            found.append(neighbourhoods(x, images[row], cell))
            rows.append(row)
        order = torch.cat(rows).argsort()
        kernel = self.conv.weight.permute(2, 3, 1, 0).flatten(0, 2)
        hidden = F.relu(torch.addmm(cast(Tensor, self.conv.bias), torch.cat(found), kernel))[order]
        which = (torch.arange(len(hidden), device=hidden.device), anchors % self.num_anchors)
        logits = F.linear(hidden, self.objectness.weight.flatten(1), self.objectness.bias)
        deltas = F.linear(hidden, self.deltas.weight.flatten(1), self.deltas.bias)
        return logits[which], deltas.unflatten(1, (-1, 4))[which]


def neighbourhoods(
    x: Float[Tensor, "B C H W"], images: Int[Tensor, S], cells: Int[Tensor, S]
) -> Float[Tensor, "S 9C"]:
    """The 3x3 pixels around S cells, row by row and zero outside the map: what a 3x3 convolution sums there.

    images, cells: (S,) row in the batch and H * W number of the cell
    """
    height, width = x.shape[-2:]
    step = torch.arange(-1, 2, device=x.device)
    rows = (cells // width)[:, None, None] + step[:, None]
    columns = (cells % width)[:, None, None] + step
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    index = (images[:, None, None] * height + rows.clamp(0, height - 1)) * width + columns.clamp(0, width - 1)
    table = x.permute(0, 2, 3, 1).flatten(0, 2)
    return (F.embedding(index, table) * inside[..., None]).flatten(1)

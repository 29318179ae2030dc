"""Heads that several papers share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.pipeline.convolution import RegionConvs
from boxmask.pipeline.heads.svd import thin, truncated
from boxmask.pipeline.linear import Linear


class BoxHead(nn.Module):
    """Two fully connected layers, then class logits and per-class deltas (Fast R-CNN, section 2, fig. 1).

    The last column of the logits is the background; deltas exist for the K classes only.
    svd_ranks: of fc6 and fc7 as two thin layers each (Fast R-CNN, section 3.1); None: as they are trained
    convs:     so many 3x3 convolutions before fc6 take the place of fc7, as in torchvision's second networks
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
        self.fc6 = thin(inputs, hidden, svd_ranks[0]) if svd_ranks else Linear(inputs, hidden)
        second = thin(hidden, hidden, svd_ranks[1]) if svd_ranks else Linear(hidden, hidden)
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
        return self.logits(hidden), deltas.unflatten(1, (-1, 4))


def compress(head: BoxHead, svd_ranks: tuple[int, int]) -> None:
    """Put the truncated SVD of fc6 and fc7 in their place (Fast R-CNN, section 3.1)."""
    for name, rank in zip(("fc6", "fc7"), svd_ranks, strict=True):
        setattr(head, name, truncated(getattr(head, name), rank))

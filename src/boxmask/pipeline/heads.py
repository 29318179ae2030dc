"""Heads that several papers share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from boxmask.kernels import linear


class BoxHead(nn.Module):
    """Two fully connected layers, then class logits and per-class deltas (Fast R-CNN, section 2, fig. 1).

    The last column of the logits is the background; deltas exist for the K classes only.
    """

    def __init__(self, channels: int, num_classes: int, pool: int, hidden: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(channels * pool * pool, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.logits = nn.Linear(hidden, num_classes + 1)
        self.deltas = nn.Linear(hidden, num_classes * 4)
        nn.init.normal_(self.logits.weight, std=0.01)  # Fast R-CNN, section 2.3
        nn.init.normal_(self.deltas.weight, std=0.001)
        for layer in (self.logits, self.deltas):
            nn.init.zeros_(layer.bias)

    def forward(self, rois: Tensor) -> tuple[Tensor, Tensor]:
        """(R, C, pool, pool) -> logits (R, K + 1) and deltas (R, K, 4)."""
        hidden = F.relu(linear(rois.flatten(1), self.fc6.weight, self.fc6.bias))
        hidden = F.relu(linear(hidden, self.fc7.weight, self.fc7.bias))
        deltas: Tensor = self.deltas(hidden)
        return self.logits(hidden), deltas.unflatten(1, (-1, 4))

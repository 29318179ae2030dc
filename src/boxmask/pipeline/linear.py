"""The fully connected layer that heads are made of."""

from __future__ import annotations

from torch import Tensor, nn

from boxmask.kernels import linear


class Linear(nn.Linear):
    """(R, C) -> (R, K), always with a bias; see `kernels.linear` for how it runs on a CPU."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)

    def forward(self, input: Tensor) -> Tensor:
        """(R, C) -> (R, K)."""
        return linear(input, self.weight, self.bias)

"""The labeled objects of all photos of a batch, one photo after another."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from boxmask.geometry.boxes import constant
from boxmask.types import Target


class BatchObjects(NamedTuple):
    """G objects of B photos.

    boxes:  (G, 4)
    labels: (G,) 0..K-1
    first:  (B,) the first object of each photo
    """

    boxes: Float[Tensor, "G 4"]
    labels: Int[Tensor, " G"]
    first: Int[Tensor, " B"]

    @staticmethod
    def of(targets: list[Target]) -> BatchObjects:
        """Those of a batch."""
        labels = torch.cat([target.labels for target in targets])
        first = list(accumulate((len(target.labels) for target in targets), initial=0))[:-1]
        return BatchObjects(torch.cat([target.boxes for target in targets]), labels, constant(first, labels))

    def places(self, photos: Int[Tensor, " S"], rows: Int[Tensor, " S"]) -> Int[Tensor, " S"]:
        """Where the objects in these rows of the targets of these photos are."""
        return self.first[photos] + rows

"""Proposals that are augmented along with the labels of their photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.masks import Masks
from boxmask.types import Target

ProposalSource: TypeAlias = Callable[[Path], Tensor]
"""A photo's path -> its proposals (P, 4), xyxy in pixels of the photo."""

PROPOSAL = -1
"""The label of a proposal among the boxes of a target."""


@dataclass(frozen=True)
class DatasetWithProposals:
    """A detection data set whose targets include the proposals, so that both are augmented alike."""

    dataset: DetectionDataset
    proposals: ProposalSource

    def __len__(self) -> int:
        return len(self.dataset)

    def path(self, photo: int) -> Path:
        """Return the path of a photo."""
        return self.dataset.path(photo)

    def target(self, photo: int) -> Target:
        """Return the labels and proposals of a photo as one target."""
        return append_proposals(self.dataset.target(photo), self.proposals(self.path(photo)))


def append_proposals(target: Target, proposals: Tensor) -> Target:
    """Append proposals (P, 4) to a target as boxes with the label PROPOSAL and an unknown mask.

    Proposals without an area are dropped: rounding may have closed some.
    """
    proposals = proposals[(proposals[:, 2:] > proposals[:, :2]).all(dim=1)]
    count = len(proposals)
    return Target(
        torch.cat([target.boxes, proposals]),
        torch.cat([target.labels, torch.full((count,), PROPOSAL)]),
        torch.cat([target.ignore, torch.zeros(count, dtype=torch.bool)]),
        _append_unknown(target.masks, count),
    )


def _append_unknown(masks: Masks | None, count: int) -> Masks | None:
    """Append `count` unknown masks."""
    return None if masks is None else Masks.concatenate([masks, Masks.unknown(count, masks.size)], masks.size)


def split_proposals(target: Target) -> tuple[Target, Tensor]:
    """Undo `append_proposals`: return the labels and the proposals (P, 4)."""
    labeled = target.labels != PROPOSAL
    masks = None if target.masks is None else target.masks[labeled]
    labels = Target(target.boxes[labeled], target.labels[labeled], target.ignore[labeled], masks)
    return labels, target.boxes[~labeled]

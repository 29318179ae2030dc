"""Evaluate proposals: how many objects they cover, and how closely.

Recall at an IoU, and the average best overlap. The ABO of a class is the mean, over its objects, of the
highest IoU with any proposal in the photo. MABO is the mean of ABO over the classes (Uijlings et al., IJCV
2013, section 5.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from rich.table import Table
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.evaluation.format import format_fraction
from boxmask.geometry.boxes import iou

Overlaps = Float[np.ndarray, " N"]
CURVE_IOUS = tuple((np.arange(50, 100, 5) / 100).tolist())


@dataclass(frozen=True)
class ClassRecall:
    """The objects of one class, the share covered at IoU 0.5 and 0.7, and the average best overlap."""

    objects: int
    recall_50: float
    recall_70: float
    ABO: float


@dataclass(frozen=True)
class ProposalRecall:
    """Metrics of proposals over all objects that count, as fractions. None without objects.

    mean_proposals: mean number of proposals per photo
    """

    photos: int
    objects: int
    mean_proposals: float
    recall_50: float | None
    recall_70: float | None
    ABO: float | None
    MABO: float | None
    per_class: dict[str, ClassRecall]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain numbers."""
        return asdict(self)


@dataclass(frozen=True)
class ProposalCurve:
    """The share of objects covered at each IoU by at least one proposal.

    ious:           0.50, 0.55 .. 0.95
    recall:         over all objects that count, at each of them
    mean_proposals: mean number of proposals per photo
    """

    ious: tuple[float, ...]
    recall: tuple[float, ...]
    mean_proposals: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain numbers and lists."""
        return {
            "ious": list(self.ious),
            "recall": list(self.recall),
            "mean_proposals": self.mean_proposals,
        }


def proposal_curve(dataset: DetectionDataset, proposals: Iterable[Tensor]) -> ProposalCurve | None:
    """The recall of the proposals (P, 4) of each photo against IoU. None without objects that count.

    proposals: read one by one, so that they need not all fit into memory
    """
    if not dataset.counted.any():
        return None
    overlaps, counts = [], []
    for photo, boxes in enumerate(proposals):
        overlaps.append(best_overlaps(dataset, photo, boxes))
        counts.append(len(boxes))
    best = np.concatenate(overlaps)[dataset.counted]
    recall = tuple(float((best >= level - 1e-6).mean()) for level in CURVE_IOUS)  # float32 overlaps
    return ProposalCurve(CURVE_IOUS, recall, float(np.mean(counts)))


def proposal_recall(dataset: DetectionDataset, proposals: Sequence[Tensor]) -> ProposalRecall:
    """Evaluate the proposals (P, 4) of each photo. Crowd regions and difficult objects do not count."""
    overlaps = [best_overlaps(dataset, photo, boxes) for photo, boxes in enumerate(proposals)]
    return recall_from_overlaps(dataset, overlaps, [len(boxes) for boxes in proposals])


def recall_from_overlaps(
    dataset: DetectionDataset, overlaps: Sequence[Overlaps], num_proposals: Sequence[int]
) -> ProposalRecall:
    """The same from the `best_overlaps` and the number of proposals of each photo."""
    counted, mean = dataset.counted, float(np.mean(num_proposals))
    best, labels = np.concatenate(overlaps)[counted], dataset.labels[counted]
    per_class = {
        name: _class_recall(best[labels == label])
        for label, name in enumerate(dataset.class_names)
        if (labels == label).any()
    }
    if not len(best):
        return ProposalRecall(len(dataset), 0, mean, None, None, None, None, {})
    over_all = _class_recall(best)
    return ProposalRecall(
        photos=len(dataset),
        objects=len(best),
        mean_proposals=mean,
        recall_50=over_all.recall_50,
        recall_70=over_all.recall_70,
        ABO=over_all.ABO,
        MABO=float(np.mean([recall.ABO for recall in per_class.values()])),
        per_class=per_class,
    )


def best_overlaps(dataset: DetectionDataset, photo: int, boxes: Tensor) -> Overlaps:
    """The highest IoU of each object of a photo with any of the boxes: (P, 4) -> (N,)."""
    objects = torch.from_numpy(dataset.boxes[dataset.rows(photo)])
    if not len(boxes):
        return np.zeros(len(objects), np.float32)
    return np.asarray(iou(objects, boxes.cpu()).amax(dim=1).numpy())


def _class_recall(best: Overlaps) -> ClassRecall:
    recall_50, recall_70 = float((best >= 0.5).mean()), float((best >= 0.7).mean())
    return ClassRecall(len(best), recall_50, recall_70, float(best.mean()))


def recall_table(recall: ProposalRecall) -> Table:
    """A table for the terminal: one row per class, and one for all objects."""
    title = (
        f"{recall.photos} photos, {recall.objects} objects, {recall.mean_proposals:.0f} proposals per photo"
    )
    table = Table(title=title, title_justify="left")
    table.add_column("class")
    for heading in ("objects", "recall at 0.5", "recall at 0.7", "best overlap"):
        table.add_column(heading, justify="right")
    for name, of_class in recall.per_class.items():
        fractions = (of_class.recall_50, of_class.recall_70, of_class.ABO)
        table.add_row(name, str(of_class.objects), *map(format_fraction, fractions))
    if recall.objects:
        table.add_section()
        over_all = (recall.recall_50, recall.recall_70, recall.ABO)
        table.add_row("all objects", str(recall.objects), *map(format_fraction, over_all))
        table.add_row("mean over classes (MABO)", "", "", "", format_fraction(recall.MABO))
    return table

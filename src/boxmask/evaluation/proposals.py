"""How good proposals are: which objects they reach, and how closely.

Recall at an IoU, and the average best overlap: ABO of a class is the mean, over its objects, of the highest
IoU that any proposal of the photo has with it; MABO is the mean over the classes (Uijlings et al., IJCV 2013,
section 5.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor

from boxmask.data.detection.dataset import DetectionDataset
from boxmask.geometry.boxes import iou

Overlaps = NDArray[np.float32]


@dataclass(frozen=True)
class ClassRecall:
    """One class: its objects, the part reached at IoU 0.5 and 0.7, and the average best overlap."""

    objects: int
    recall_50: float
    recall_70: float
    ABO: float


@dataclass(frozen=True)
class ProposalRecall:
    """Figures over all counted objects, as fractions; `windows` is the mean number of proposals a photo.

    MABO and ABO are None where there is no object.
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
        """The same as plain JSON."""
        return asdict(self)


def proposal_recall(dataset: DetectionDataset, proposals: Sequence[Tensor]) -> ProposalRecall:
    """Judge proposals (P, 4) of each photo; crowd regions and difficult objects do not count."""
    best = [best_overlaps(dataset, photo, boxes) for photo, boxes in enumerate(proposals)]
    return recall_from_overlaps(dataset, best, [len(boxes) for boxes in proposals])


def recall_from_overlaps(
    dataset: DetectionDataset, per_photo: Sequence[Overlaps], windows: Sequence[int]
) -> ProposalRecall:
    """The same from what `best_overlaps` says of each photo, and the number of its proposals."""
    counted, mean = dataset.counted, float(np.mean(windows))
    best, labels = np.concatenate(per_photo)[counted], dataset.labels[counted]
    per_class = {
        name: _recall(best[labels == label])
        for label, name in enumerate(dataset.class_names)
        if (labels == label).any()
    }
    if not len(best):
        return ProposalRecall(len(dataset), 0, mean, None, None, None, None, {})
    everything = _recall(best)
    return ProposalRecall(
        photos=len(dataset),
        objects=len(best),
        mean_proposals=mean,
        recall_50=everything.recall_50,
        recall_70=everything.recall_70,
        ABO=everything.ABO,
        MABO=float(np.mean([one.ABO for one in per_class.values()])),
        per_class=per_class,
    )


def best_overlaps(dataset: DetectionDataset, photo: int, boxes: Tensor) -> Overlaps:
    """The highest IoU that any of the boxes (P, 4) has with each object of a photo, (N,)."""
    objects = torch.from_numpy(dataset.boxes[dataset.rows(photo)])
    if not len(boxes):
        return np.zeros(len(objects), np.float32)
    overlaps: Overlaps = iou(objects, boxes.cpu()).amax(dim=1).numpy()
    return overlaps


def _recall(best: NDArray[np.float32]) -> ClassRecall:
    return ClassRecall(
        len(best), float((best >= 0.5).mean()), float((best >= 0.7).mean()), float(best.mean())
    )


def recall_table(found: ProposalRecall) -> Table:
    """For the terminal: a row for each class, and one for all."""
    title = f"{found.photos} photos, {found.objects} objects, {found.mean_proposals:.0f} windows a photo"
    table = Table(title=title, title_justify="left")
    table.add_column("class")
    for heading in ("objects", "recall at 0.5", "recall at 0.7", "best overlap"):
        table.add_column(heading, justify="right")
    for name, one in found.per_class.items():
        table.add_row(name, str(one.objects), *(f"{n:.3f}" for n in (one.recall_50, one.recall_70, one.ABO)))
    if found.recall_50 is not None and found.recall_70 is not None and found.ABO is not None:
        figures = (found.recall_50, found.recall_70, found.ABO)
        table.add_section()
        table.add_row("all objects", str(found.objects), *(f"{n:.3f}" for n in figures))
        table.add_row("mean of the classes (MABO)", "", "", "", f"{found.MABO:.3f}")
    return table

"""Label maps with some of their classes, merged or renamed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from boxmask.data.class_selection import LEFT_OUT, ClassSelection
from boxmask.data.segmentation.dataset import LabelMapSource, SegmentationDataset
from boxmask.data.segmentation.from_masks import BACKGROUND
from boxmask.masks import IGNORED
from boxmask.messages import format_note
from boxmask.options import option


@dataclass(frozen=True)
class RelabeledMaps:
    """Label maps whose labels are replaced.

    label_of: (256,) the new label of each label; that of IGNORED is IGNORED
    """

    source: LabelMapSource
    label_of: UInt8[np.ndarray, " 256"]

    def labels(self, photo: int) -> UInt8[np.ndarray, "H W"]:
        """The label of every pixel of the photo with index `photo`, 0..K-1 or IGNORED."""
        return np.asarray(self.label_of[self.source.labels(photo)])

    def subset(self, photos: NDArray[np.int64]) -> RelabeledMaps:
        """The labels of the given photos."""
        return replace(self, source=self.source.subset(photos))

    def fingerprint(self) -> bytes:
        """Changes with the label of any pixel."""
        return self.source.fingerprint() + self.label_of.tobytes()


def select_label_map_classes(dataset: SegmentationDataset, selection: ClassSelection) -> SegmentationDataset:
    """The same photos with the chosen classes. Pixels of the others become "background", which is a class."""
    if not selection:
        return dataset
    if selection.classes is not None and BACKGROUND in dataset.class_names:
        selection = replace(selection, classes=(*selection.classes, BACKGROUND))
    choice = selection.choose(dataset.class_names)
    left_out = choice.label_of == LEFT_OUT
    names = choice.names
    if left_out.any() and BACKGROUND not in names:
        names = (*names, BACKGROUND)
    new_labels = np.where(left_out, names.index(BACKGROUND) if left_out.any() else 0, choice.label_of)
    label_of = np.full(IGNORED + 1, IGNORED, dtype=np.uint8)
    label_of[: len(new_labels)] = new_labels
    counts = np.zeros((len(dataset), len(names)), dtype=np.int64)
    np.add.at(counts.T, new_labels, dataset.pixel_counts.T)
    lost = [f'"{name}"' for name, lost in zip(dataset.class_names, left_out, strict=True) if lost]
    note = format_note(f'classes that {option("classes")} leaves out count as "{BACKGROUND}"', lost)
    return replace(
        dataset,
        class_names=names,
        pixel_counts=counts,
        source=RelabeledMaps(dataset.source, label_of),
        notes=dataset.notes + note,
    )

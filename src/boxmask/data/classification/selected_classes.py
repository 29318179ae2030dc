"""The photos of the chosen classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boxmask.data.class_selection import LEFT_OUT, ClassSelection
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.messages import format_count
from boxmask.options import option


def select_photos(dataset: DetectionDataset, selection: ClassSelection) -> DetectionDataset:
    """The photos of the chosen classes. Each photo has one object, as `read_class_folders` returns it."""
    if not selection:
        return dataset
    choice = selection.choose(dataset.class_names)
    new_labels = choice.label_of[dataset.labels]
    chosen = dataset.subset(np.flatnonzero(new_labels != LEFT_OUT))
    left_out = len(dataset) - len(chosen)
    note = f"left out: {format_count(left_out, 'photo')} of classes that {option('classes')} does not name"
    return replace(
        chosen,
        class_names=choice.names,
        labels=choice.label_of[chosen.labels],
        notes=dataset.notes + ((note,) if left_out else ()),
    )

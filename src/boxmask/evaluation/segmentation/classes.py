"""Match classes by name: a segmenter and a data set may order them differently, or share only some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from boxmask.data.class_checks import OnUnseenClasses, check_model_classes, quoted
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.names import class_name
from boxmask.types import IGNORED, SegmentationMap

Labels = UInt8[np.ndarray, "H W"]


@dataclass(frozen=True)
class EvaluatedClasses:
    """The classes with metrics, and what is left out.

    class_names: K classes, in the order of the data set
    truth_table: (256,) uint8, the evaluated label, 0..K-1 or IGNORED, of each label of the data set
    extra:       classes that only the segmenter knows; pixels predicted as one of them count as label K
    notes:       what was left out, in sentences
    """

    class_names: tuple[str, ...]
    truth_table: UInt8[np.ndarray, " 256"]
    extra: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def convert_prediction(self, labels: Labels, class_names: Sequence[str]) -> Labels:
        """Labels of `class_names` -> evaluated labels, K for any other class."""
        index = {class_name(name): label for label, name in enumerate(self.class_names)}
        table = np.array([index.get(class_name(name), len(index)) for name in class_names], dtype=np.uint8)
        return np.asarray(table[labels])


def evaluated_classes(
    dataset: SegmentationDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> EvaluatedClasses:
    """The classes that a segmenter with the classes `known` can be evaluated on.

    Raises LabelError for classes that the segmenter does not know. With `on_unseen_classes="skip"`, they are
    left out together with their pixels, and noted.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    kept = tuple(name for name in dataset.class_names if name not in unseen)
    truth_table = np.full(IGNORED + 1, IGNORED, dtype=np.uint8)
    for label, name in enumerate(dataset.class_names):
        truth_table[label] = kept.index(name) if name in kept else IGNORED
    in_dataset = {class_name(name) for name in dataset.class_names}
    extra = tuple(name for name in known if class_name(name) not in in_dataset)
    return EvaluatedClasses(kept, truth_table, extra, notes)


def evaluated_labels(
    dataset: SegmentationDataset, photo: int, label_map: SegmentationMap, classes: EvaluatedClasses
) -> tuple[Labels, Labels]:
    """The labels of a photo and those of its label map, both as evaluated labels.

    Raises ValueError if the map has another size than the photo.
    """
    truth = np.asarray(classes.truth_table[dataset.target(photo).labels.numpy()])
    if label_map.size != truth.shape:
        file = dataset.files[photo]
        raise ValueError(f"{file}: expected a label map of {truth.shape}, found {label_map.size}")
    return truth, classes.convert_prediction(label_map.labels, label_map.class_names)


def extra_classes_note(classes: EvaluatedClasses, extra_pixels: int, all_pixels: int) -> tuple[str, ...]:
    """A note on pixels predicted as classes that the data set does not have, or nothing."""
    if not extra_pixels:
        return ()
    share = extra_pixels / all_pixels
    amount = f"{share:.2%}" if share >= 0.0001 else f"{extra_pixels}"
    names = ", ".join(quoted(classes.extra))
    return (
        f"{amount} of the pixels count as wrong: they are predicted as classes that the data set does not "
        f"have, {names}.",
    )

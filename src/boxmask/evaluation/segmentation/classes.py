"""Classes of pixels by name: a segmenter and a data set may order them differently, or know only some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from boxmask.data.class_checks import OnUnseenClasses, check_model_classes, quoted
from boxmask.data.segmentation.dataset import SegmentationDataset
from boxmask.types import IGNORED

Labels = UInt8[np.ndarray, "H W"]


@dataclass(frozen=True)
class Judged:
    """The classes that figures are given of, and what is left out.

    class_names: the K judged classes, in the data set's order
    truth:       (256,) uint8, what a label of the data set counts as: 0..K-1 or IGNORED
    foreign:     classes that only the segmenter knows; a pixel taken for one counts as K
    notes:       what was left out, in sentences
    """

    class_names: tuple[str, ...]
    truth: UInt8[np.ndarray, 256]
    foreign: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def predicted(self, labels: Labels, class_names: Sequence[str]) -> Labels:
        """A segmenter's labels, counted by the judged classes; K for any other."""
        place = {name: label for label, name in enumerate(self.class_names)}
        table = np.array([place.get(name, len(place)) for name in class_names], dtype=np.uint8)
        return np.asarray(table[labels])


def judged_classes(
    dataset: SegmentationDataset, known: Sequence[str], on_unseen_classes: OnUnseenClasses = "error"
) -> Judged:
    """How a segmenter that knows the classes `known` can be judged on a data set.

    Raises LabelError for classes that the segmenter does not know. With `on_unseen_classes="skip"`, they are
    left out of the metrics together with their pixels, and noted.
    """
    unseen, notes = check_model_classes(dataset, known, on_unseen_classes)
    kept = tuple(name for name in dataset.class_names if name not in unseen)
    truth = np.full(IGNORED + 1, IGNORED, dtype=np.uint8)
    for label, name in enumerate(dataset.class_names):
        truth[label] = kept.index(name) if name in kept else IGNORED
    foreign = tuple(name for name in known if name not in dataset.class_names)
    return Judged(kept, truth, foreign, notes)


def foreign_note(judged: Judged, pixels: int, of: int) -> tuple[str, ...]:
    """What to note where `pixels` of the judged pixels were taken for classes that the data set lacks."""
    if not pixels:
        return ()
    share = f"{pixels / of:.2%}" if pixels / of >= 0.0001 else f"{pixels}"
    names = ", ".join(quoted(judged.foreign))
    return (f"Counted as wrong: {share} of the pixels, taken for what the data set does not have ({names}).",)

"""The regions of a photo on which its labels and a label map disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import UInt8

from boxmask.evaluation.failures.cases import Case
from boxmask.types import IGNORED

MAX_IN_PHOTO = 5
"""Regions of one photo, the largest."""

EIGHT_NEIGHBORS = np.ones((3, 3), dtype=np.bool_)


def wrong_regions(
    photo: int, truth: UInt8[np.ndarray, "H W"], predicted: UInt8[np.ndarray, "H W"], names: Sequence[str]
) -> list[Case]:
    """The largest connected regions of wrong pixels, each with its box and the classes of most of its pixels.

    names: of the labels. Pixels that are IGNORED in `truth` are right.
    """
    wrong = (truth != predicted) & (truth != IGNORED)
    regions, count = scipy.ndimage.label(wrong, EIGHT_NEIGHBORS)
    sizes = np.bincount(regions.ravel(), minlength=count + 1)[1:]
    boxes = scipy.ndimage.find_objects(regions)
    cases = []
    for number in np.argsort(-sizes, kind="stable")[:MAX_IN_PHOTO].tolist():
        rows, columns = boxes[number]
        inside = regions[rows, columns] == number + 1
        pairs = truth[rows, columns][inside].astype(np.int64) * 256 + predicted[rows, columns][inside]
        labeled, found = divmod(int(np.bincount(pairs).argmax()), 256)
        box = (float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))
        cases.append(Case(photo, names[labeled], names[found], found_box=box, pixels=int(sizes[number])))
    return cases

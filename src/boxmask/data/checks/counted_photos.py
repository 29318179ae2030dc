"""Which photos count, so that a renamed photo is not counted as a missing and as an unlabeled one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from boxmask.data.checks.examination import Examination


def counted_photos(examination: Examination) -> Bool[np.ndarray, " P"]:
    """The photos to count. A photo that does not exist may be one without objects that was renamed.

    As many photos without objects are therefore left out as photos do not exist: of the same split, or of any
    if the labels do not tell the split.
    """
    labels = examination.labels
    missing = np.array([bool(photo.missing_name) for photo in labels.photos], dtype=bool)
    counted = np.ones(len(missing), dtype=bool)
    if not missing.any():
        return counted
    splits = np.array([photo.split or "" for photo in labels.photos])
    unlabeled = (np.bincount(labels.photo_of, minlength=len(missing)) == 0) & ~missing
    for split in sorted(set(splits[missing].tolist()), reverse=True):  # "" comes last
        num_missing = int((missing & (splits == split)).sum())
        renamed = unlabeled & counted & ((splits == split) | (split == ""))
        counted[np.flatnonzero(renamed)[:num_missing]] = False
    return counted

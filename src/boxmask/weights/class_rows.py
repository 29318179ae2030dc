"""The rows of classes in last layers, and how they are matched by class name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

FITTED = "svms.fitted"  # whether R-CNN's SVMs are fitted, which holds for all classes or for none


class ClassRows(NamedTuple):
    """The rows of a last layer: for each anchor of a cell, if there are any, `each` rows per class.

    background: whether the rows of the background follow those of the classes
    square:     whether columns are classes as well
    """

    each: int = 1
    background: bool = False
    square: bool = False


CLASS_ROWS: dict[str, ClassRows] = {  # regular expression for the name of a tensor -> its rows
    r"roi_classes\..*": ClassRows(background=True),
    r"roi_deltas\..*": ClassRows(each=4),
    r"normalized_deltas\.deltas\..*": ClassRows(each=4),
    r"normalized_deltas\.(mean|std)": ClassRows(),
    r"svms\.(svm_weights|svm_biases|calibration)": ClassRows(),
    r"regressors\..*": ClassRows(),
    r"masks\.logits\..*": ClassRows(),
    r"default_box_classes\.\d+\.(2\.)?(weight|bias)": ClassRows(background=True),
    r"(anchor|point|photo|pixel)_classes\..*": ClassRows(),
    r"fcn_classes\.(head|skips)\..*": ClassRows(),
    r"fcn_classes\.upsamples\..*": ClassRows(square=True),
    r"auxiliary\.LAST\..*": ClassRows(),
}


def class_rows(name: str) -> ClassRows | None:
    """The rows of classes of a tensor, by its name; None if it has none."""
    return next((rows for pattern, rows in CLASS_ROWS.items() if re.fullmatch(pattern, name)), None)


def merge_classes(
    name: str, tensor: Tensor, found: Tensor, class_names: Sequence[str], found_names: Sequence[str]
) -> Tensor | None:
    """The source's tensor; in a last layer, its rows of the classes that both know. None if it does not fit.

    name:   of the tensor, as in `parts.py`
    tensor: as it is in the new network, which has `class_names`
    found:  as it is in the source, which has `found_names`
    """
    if name == FITTED and not set(class_names) <= set(found_names):
        return tensor
    rows = class_rows(name)
    columns = (len(class_names) + rows.background) * rows.each if rows else 0
    if rows is None or len(tensor) % columns:  # or a mask for all classes at once
        return found if found.shape == tensor.shape else None
    pairs = [(i, found_names.index(name)) for i, name in enumerate(class_names) if name in found_names]
    if rows.background:
        pairs.append((len(class_names), len(found_names)))
    ours, theirs = torch.tensor(pairs, dtype=torch.long).view(-1, 2).T.to(tensor.device)
    merged, found = tensor.clone(), found.to(tensor.device)
    if rows.square:
        if found.shape != (len(found_names), len(found_names), *tensor.shape[2:]):
            return None
        merged[ours[:, None], ours] = found[theirs[:, None], theirs]
        return merged
    anchors = len(tensor) // columns
    num_found = len(found_names) + rows.background
    if found.shape != (anchors * num_found * rows.each, *tensor.shape[1:]):
        return None
    by_class = merged.unflatten(0, (anchors, -1, rows.each))  # a view
    by_class[:, ours] = found.unflatten(0, (anchors, num_found, rows.each))[:, theirs]
    return merged

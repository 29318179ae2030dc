"""Weighted boxes fusion (Solovyev et al. 2021, arXiv:1910.13302).

Boxes of one class that several views found at the same place become one box: their mean, weighted by the
scores. Its score is the sum of their scores, divided by the number of views. So an object that one view of
four finds with a score of 0.8 gets 0.2.

Two additions to the paper. A fused box has at most one box of each view, because the view has told these
objects apart. And a class that only some models know is fused as if there were no other models: they cannot
find it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from boxmask.masks import Masks
from boxmask.prediction.fusion.class_names import JoinedClasses
from boxmask.prediction.fusion.masks import fuse_masks
from boxmask.types import Detections

FUSION_IOU = 0.55  # boxes of a class above it are one object; section 3.1


def fuse_detections(found: Sequence[Detections], classes: JoinedClasses, limit: int) -> Detections:
    """The detections of several views of one photo, fused.

    found:   one per view, all in pixels of the photo
    classes: of the same views
    limit:   how many detections are kept, highest score first

    The result has masks if all views have them.
    """
    boxes = np.concatenate([view.boxes for view in found]).astype(np.float64)
    scores = np.concatenate([view.scores for view in found]).astype(np.float64)
    labels = np.concatenate([joined[view.labels] for joined, view in zip(classes.labels, found, strict=True)])
    views = np.repeat(np.arange(len(found)), [len(view) for view in found])
    is_sound = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & (scores > 0)
    groups: list[Int[np.ndarray, " n"]] = []
    for label in np.unique(labels).tolist():
        rows = np.flatnonzero((labels == label) & is_sound)
        groups += [rows[group] for group in group_boxes(boxes[rows], scores[rows], views[rows])]
    counts = classes.known.sum(axis=0)
    means = np.array([scores[group].sum() / counts[labels[group[0]]] for group in groups])
    order = np.argsort(-means, kind="stable")[:limit]
    groups = [groups[number] for number in order]
    height, width = found[0].size
    corners = np.array([width, height, width, height], dtype=np.float32)
    fused = [np.average(boxes[group], axis=0, weights=scores[group]) for group in groups]
    return Detections(
        np.array(fused, dtype=np.float32).reshape(-1, 4).clip(0, corners),
        means[order].clip(0, 1).astype(np.float32),
        labels[[group[0] for group in groups]].astype(np.int64),
        classes.names,
        (height, width),
        _fuse_masks(found, groups, scores),
    )


def group_boxes(
    boxes: Float[np.ndarray, "M 4"], scores: Float[np.ndarray, " M"], views: Int[np.ndarray, " M"]
) -> list[Int[np.ndarray, " n"]]:
    """The rows of the boxes that are one object, for boxes of one class; the highest score comes first.

    Each box joins the group whose mean box overlaps it most, if the IoU is above `FUSION_IOU` and the group
    has no box of the same view. Otherwise, it begins a group.
    """
    groups: list[list[int]] = []
    means, weights = np.zeros_like(boxes), np.zeros(len(boxes))
    has_view = np.zeros((len(boxes), int(views.max(initial=-1)) + 1), dtype=np.bool_)
    for row in np.argsort(-scores, kind="stable").tolist():
        ious = _ious(boxes[row], means[: len(groups)])
        ious[has_view[: len(groups), views[row]]] = 0
        group = int(ious.argmax()) if (ious > FUSION_IOU).any() else len(groups)
        if group == len(groups):
            groups.append([])
        groups[group].append(row)
        weights[group] += scores[row]
        means[group] += (boxes[row] - means[group]) * (scores[row] / weights[group])
        has_view[group, views[row]] = True
    return [np.array(group, dtype=np.int64) for group in groups]


def _ious(box: Float[np.ndarray, " 4"], others: Float[np.ndarray, "G 4"]) -> Float[np.ndarray, " G"]:
    """The IoU of a box with others; all have an area."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    intersections = sides.clip(0, None).prod(axis=1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1)
    return np.asarray(intersections / (areas - intersections))


def _fuse_masks(
    found: Sequence[Detections], groups: list[Int[np.ndarray, " n"]], scores: Float[np.ndarray, " M"]
) -> Masks | None:
    parts = [view.masks for view in found if view.masks is not None]
    if len(parts) < len(found):
        return None
    return fuse_masks(Masks.concatenate(parts, found[0].size), groups, scores)

"""R-CNN's box regressors: four ridge regressions a class that move a window onto its object.

Girshick, Donahue, Darrell, Malik 2014 (arXiv:1311.2524v5), appendix C, with the numbers of the authors' code
(rcnn_train_bbox_regressor.m) where the paper gives none.

    pool5 features of windows, the object nearest to each -> deltas -> ridge -> weights (K, 4, F)

A window is paired with the object that it overlaps most, of whatever class, and teaches that object's class
if their IoU is above 0.6. Ground-truth boxes are windows, too, and teach to stay (as in the authors' code).

Where this differs from the authors' code: the intercept is not penalized; a class learns from 20,000 pairs
at most, which bounds memory to those rows of one class at a time; and targets are not whitened before the
fit and whitened back after it. Ridge regression is linear in its targets and all four have the same lambda,
so that the two steps cancel: the regressors are the same without (the tests compare).

Shapes: N windows and G objects of a photo, F features, K classes, M pairs.
Boxes:  xyxy, pixels, in any frame that windows and objects share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from boxmask.geometry.boxes import encode, iou
from boxmask.training.rcnn.svms import feature_scale

Array = NDArray[np.float32]


@dataclass(frozen=True)
class BoxRegressorConfig:
    """The numbers of box regression."""

    ridge: float = 1000.0  # appendix C, lambda
    iou: float = 0.6  # appendix C
    mean_norm: float = 20.0  # rcnn_scale_features.m: lambda was chosen on features of this mean norm
    max_pairs: int = 20_000  # ours: rows of F features held in memory
    min_pairs: int = 5  # ours: the mean delta of fewer is chance, and would move every box of the class
    seed: int = 0


@dataclass(frozen=True)
class PhotoWindows:
    """What the box regressors see of one photo; `features` may be a view of a memmap."""

    features: Array  # (N, F) of pool5
    boxes: Array  # (N, 4) windows
    objects: Array  # (G, 4) ground-truth boxes that may be learned from
    labels: NDArray[np.int64]  # (G,)


@dataclass(frozen=True)
class BoxRegressors:
    """deltas = weights @ features + biases, of features as the network gave them."""

    weights: Array  # (K, 4, F)
    biases: Array  # (K, 4)
    notes: tuple[str, ...] = ()  # what the user should know of classes that could not be learned as usual

    def deltas(self, features: Array) -> Array:
        """(N, F) -> (N, K, 4), for `geometry.boxes.decode` with unit weights."""
        deltas: Array = np.einsum("nf,kdf->nkd", features, self.weights, optimize=True) + self.biases
        return deltas


@dataclass(frozen=True)
class _Pairs:
    """Windows to learn from: photo and row (M,), label (M,), and the deltas to predict (M, 4)."""

    photos: NDArray[np.int64]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    deltas: Array

    def __getitem__(self, chosen: NDArray[np.int64]) -> _Pairs:
        return _Pairs(self.photos[chosen], self.rows[chosen], self.labels[chosen], self.deltas[chosen])


Photo = Callable[[int], PhotoWindows]


def train_box_regressors(
    photo: Photo,
    num_photos: int,
    class_names: Sequence[str],
    config: BoxRegressorConfig,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> BoxRegressors | None:
    """Fit the regressors of all classes on photos 0..num_photos-1; None if `stop` ended it.

    `photo(i)` is called twice for each photo and once more for each class that learns from it.
    `progress(done, steps)` is called after each class's fit, `stop` before it.
    """
    scale = feature_scale(lambda i: photo(i).features, num_photos, config.mean_norm, config.seed)
    pairs = _find_pairs(photo, num_photos, config.iou)
    num_features = photo(0).features.shape[1]
    weights = np.zeros((len(class_names), 4, num_features), dtype=np.float32)
    biases = np.zeros((len(class_names), 4), dtype=np.float32)
    notes = []
    for k, name in enumerate(class_names):
        if stop is not None and stop():
            return None
        chosen, note = _choose(np.flatnonzero(pairs.labels == k), name, config)
        if len(chosen):
            features = _gather(photo, pairs[chosen], num_features, scale)
            weights[k], biases[k] = fit_ridge(features, pairs.deltas[chosen], config.ridge)
        notes += note
        if progress is not None:
            progress(k + 1, len(class_names))
    return BoxRegressors(weights * np.float32(scale), biases, tuple(notes))


def fit_ridge(features: Array, deltas: Array, ridge: float) -> tuple[Array, Array]:
    """Ridge regression, appendix C, equation 5: (M, F), (M, 4) -> weights (4, F), biases (4,).

    `features` are overwritten.
    """
    # in float32 and in place: 20,000 rows of VGG16's pool5 are 2 GB, and lambda keeps the system tame
    solver = Ridge(ridge, solver="cholesky", copy_X=False).fit(features, deltas)
    return solver.coef_, solver.intercept_


def _find_pairs(photo: Photo, num_photos: int, threshold: float) -> _Pairs:
    """All windows whose IoU with the object that they overlap most is above `threshold`."""
    found = [_Pairs(*(np.zeros(0, dtype=np.int64),) * 3, np.zeros((0, 4), dtype=np.float32))]
    for i in range(num_photos):
        windows = photo(i)
        if not len(windows.boxes) or not len(windows.objects):
            continue
        boxes, objects = torch.tensor(windows.boxes), torch.tensor(windows.objects)
        best, nearest = iou(boxes, objects).max(dim=1)
        rows = torch.where(best > threshold)[0]
        deltas = encode(boxes[rows], objects[nearest[rows]]).numpy()
        labels = windows.labels[nearest[rows].numpy()]
        found.append(_Pairs(np.full(len(rows), i), rows.numpy(), labels, deltas))
    columns = zip(*((p.photos, p.rows, p.labels, p.deltas) for p in found), strict=True)
    return _Pairs(*(np.concatenate(column) for column in columns))


def _choose(
    candidates: NDArray[np.int64], name: str, config: BoxRegressorConfig
) -> tuple[NDArray[np.int64], list[str]]:
    """The pairs that a class learns from, and what to tell the user of it."""
    total, limit = len(candidates), config.max_pairs
    if total < config.min_pairs:
        return candidates[:0], [f"boxes of {name!r} stay as proposed: {total} windows lie close to an object"]
    if total <= limit:
        return candidates, []
    drawn = np.random.default_rng(config.seed).permutation(candidates)[:limit]
    return drawn, [f"boxes of {name!r} are learned from {limit} of {total} windows, drawn at random"]


def _gather(photo: Photo, pairs: _Pairs, num_features: int, scale: float) -> Array:
    """The features of pairs, read photo by photo, times `scale`: (M, F)."""
    features = np.empty((len(pairs.rows), num_features), dtype=np.float32)
    for i in np.unique(pairs.photos):
        here = pairs.photos == i
        features[here] = photo(int(i)).features[pairs.rows[here]]
    features *= np.float32(scale)
    return features

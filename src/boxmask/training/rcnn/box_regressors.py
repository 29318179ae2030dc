"""R-CNN's box regressors: four ridge regressions per class that move a region onto its object.

Girshick, Donahue, Darrell, Malik 2014 (arXiv:1311.2524v5), appendix C. Values that the paper does not give
are those of the authors' code (rcnn_train_bbox_regressor.m).

    pool5 features of regions, the object nearest to each -> deltas -> ridge -> weights (K, 4, F)

A region is paired with the object that it overlaps most, of any class. If their IoU is above 0.6, it is an
example for the object's class. Ground-truth boxes are examples as well, with deltas of 0 (the authors' code).

Differences from the authors' code: the intercept is not penalized. A class learns from 20,000 pairs at most,
which bounds the memory. Targets are not whitened before the fit and unwhitened after it: ridge regression is
linear in its targets and all four share one lambda, so that the two steps cancel (a test compares both).

Shapes: N regions and G objects of a photo, F features, K classes, M pairs.
Boxes:  xyxy, pixels, in any frame that regions and objects share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int

from boxmask.geometry.boxes import encode, iou
from boxmask.progress import Progress
from boxmask.training.background import run_in_background
from boxmask.training.rcnn.svms import feature_scale


@dataclass(frozen=True)
class BoxRegressorConfig:
    """The hyperparameters of box regression."""

    ridge: float = 1000.0  # appendix C, lambda
    iou: float = 0.6  # appendix C
    mean_norm: float = 20.0  # rcnn_scale_features.m: lambda was chosen on features of this mean norm
    max_pairs: int = 20_000  # ours: bounds the rows of F features in memory
    min_pairs: int = 5  # ours: the mean delta of fewer pairs is chance, and would move every box of the class
    seed: int = 0


@dataclass(frozen=True)
class RegressionExamples:
    """The regions of one photo that are examples for the regressors; `features` may be a view of a memmap."""

    features: Float[np.ndarray, "N F"]  # pool5
    boxes: Float[np.ndarray, "N 4"]  # the regions
    objects: Float[np.ndarray, "G 4"]  # ground-truth boxes that count
    labels: Int[np.ndarray, " G"]


ReadExamples: TypeAlias = Callable[[int], RegressionExamples]
"""The index of a photo -> its examples."""


@dataclass(frozen=True)
class BoxRegressors:
    """deltas = weights @ features + biases, for features as the network computes them."""

    weights: Float[np.ndarray, "K 4 F"]
    biases: Float[np.ndarray, "K 4"]
    notes: tuple[str, ...] = ()  # classes that could not be fitted as usual, for the user

    def deltas(self, features: Float[np.ndarray, "N F"]) -> Float[np.ndarray, "N K 4"]:
        """Return each class's deltas, for `geometry.boxes.decode` with unit weights."""
        deltas: Float[np.ndarray, "N K 4"]
        deltas = np.einsum("nf,kdf->nkd", features, self.weights, optimize=True) + self.biases
        return deltas


@dataclass(frozen=True)
class _Pairs:
    """Pairs of a region and an object: the region's photo and row, the object's label, and the deltas."""

    photos: Int[np.ndarray, " M"]
    rows: Int[np.ndarray, " M"]
    labels: Int[np.ndarray, " M"]
    deltas: Float[np.ndarray, "M 4"]

    def __getitem__(self, indices: Int[np.ndarray, " I"]) -> _Pairs:
        return _Pairs(self.photos[indices], self.rows[indices], self.labels[indices], self.deltas[indices])


def train_box_regressors(
    examples: ReadExamples,
    num_photos: int,
    class_names: Sequence[str],
    config: BoxRegressorConfig,
    progress: Progress | None = None,
    check: Callable[[], None] | None = None,
) -> BoxRegressors:
    """Fit the regressors of all classes on photos 0..num_photos-1.

    `examples(i)` is called twice per photo, and once more for each class that has pairs in it.
    `progress(done, total)` is called after each class. `check` is called several times per second while a
    class is fitted; like the other two, it may raise to stop the training.
    """
    scale = feature_scale(lambda i: examples(i).features, num_photos, config.mean_norm, config.seed)
    pairs = _find_pairs(examples, num_photos, config.iou)
    num_features = examples(0).features.shape[1]
    weights = np.zeros((len(class_names), 4, num_features), dtype=np.float32)
    biases = np.zeros((len(class_names), 4), dtype=np.float32)
    notes = []
    for k, name in enumerate(class_names):
        chosen, note = _choose_pairs(np.flatnonzero(pairs.labels == k), name, config)
        if len(chosen):
            features = _read_features(examples, pairs[chosen], num_features, scale)
            fit = partial(fit_ridge, features, pairs.deltas[chosen], config.ridge)
            weights[k], biases[k] = run_in_background(fit, check)
        notes += note
        if progress is not None:
            progress(k + 1, len(class_names))
    return BoxRegressors(weights * np.float32(scale), biases, tuple(notes))


def fit_ridge(
    features: Float[np.ndarray, "M F"], deltas: Float[np.ndarray, "M 4"], ridge: float
) -> tuple[Float[np.ndarray, "4 F"], Float[np.ndarray, " 4"]]:
    """Fit the ridge regression of appendix C, equation 5: (M, F), (M, 4) -> weights (4, F), biases (4,).

    `features` are overwritten.
    """
    from sklearn.linear_model import Ridge  # takes half a second, and only R-CNN needs it

    # in float32 and in place: 20,000 rows of VGG16's pool5 take 2 GB, and lambda keeps the system stable
    solver = Ridge(ridge, solver="cholesky", copy_X=False).fit(features, deltas)
    return solver.coef_, solver.intercept_


def _find_pairs(examples: ReadExamples, num_photos: int, threshold: float) -> _Pairs:
    """Return the pairs of all photos whose IoU is above `threshold`."""
    none = np.zeros(0, dtype=np.int64)
    per_photo = [_Pairs(none, none, none, np.zeros((0, 4), dtype=np.float32))]
    for i in range(num_photos):
        photo = examples(i)
        if not len(photo.boxes) or not len(photo.objects):
            continue
        boxes, objects = torch.tensor(photo.boxes), torch.tensor(photo.objects)
        overlap, nearest = iou(boxes, objects).max(dim=1)
        rows = torch.where(overlap > threshold)[0]
        deltas = encode(boxes[rows], objects[nearest[rows]]).numpy()
        labels = photo.labels[nearest[rows].numpy()]
        per_photo.append(_Pairs(np.full(len(rows), i), rows.numpy(), labels, deltas))
    return _Pairs(
        np.concatenate([pairs.photos for pairs in per_photo]),
        np.concatenate([pairs.rows for pairs in per_photo]),
        np.concatenate([pairs.labels for pairs in per_photo]),
        np.concatenate([pairs.deltas for pairs in per_photo]),
    )


def _choose_pairs(
    indices: Int[np.ndarray, " M"], name: str, config: BoxRegressorConfig
) -> tuple[Int[np.ndarray, " I"], list[str]]:
    """Return the pairs that a class is fitted to, and a note if they are not all of its pairs."""
    total, limit = len(indices), config.max_pairs
    if total < config.min_pairs:
        return indices[:0], [
            f"too few examples ({total}) for box regression of {name!r}: its boxes are not refined"
        ]
    if total <= limit:
        return indices, []
    sample = np.random.default_rng(config.seed).permutation(indices)[:limit]
    return sample, [f"box regression of {name!r} uses a random sample of {limit} of {total} examples"]


def _read_features(
    examples: ReadExamples, pairs: _Pairs, num_features: int, scale: float
) -> Float[np.ndarray, "M F"]:
    """Return the features of the pairs' regions, multiplied by `scale`; each photo is read once."""
    features = np.empty((len(pairs.rows), num_features), dtype=np.float32)
    for i in np.unique(pairs.photos):
        in_photo = pairs.photos == i
        features[in_photo] = examples(int(i)).features[pairs.rows[in_photo]]
    features *= np.float32(scale)
    return features

"""R-CNN's linear SVMs, one per class, and the mining of their hard negatives.

Girshick, Donahue, Darrell, Malik 2014 (arXiv:1311.2524v5), section 2.3 and appendix B. Values that the paper
does not give are those of the authors' code (rcnn_train.m).

    features of regions -> scaled to a mean norm of 20 -> K hinge losses -> weights (K, D), biases (K,)

Positives of a class are its ground-truth boxes alone. Negatives are the regions whose IoU with every box of
the class is below 0.3; ground-truth boxes of other classes can be among them, as in the authors' code. All
other regions are ignored. The negatives of all photos would not fit in memory: one pass over the photos
collects those that are hard for the current SVMs.

Classes are trained one after the other. liblinear releases Python's lock, but all threads of a process share
its random generator: in two threads at once, each would take numbers of the other. A lock prevents that.

Shapes: N regions of a photo, D features, K classes, P positives and Q negatives of a class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from boxmask.errors import TrainingError
from boxmask.progress import Progress
from boxmask.training.background import run_in_background
from boxmask.training.clock import Clock

LIBLINEAR_LOCK = Lock()  # held while liblinear draws from its random generator, which all threads share

MAX_SCALE_PHOTOS = 200  # rcnn_feature_stats.m: photos whose features' norms are measured
MAX_SCALE_REGIONS = 200  # rcnn_feature_stats.m: regions of each of these photos

# bias of a class without positives: sigmoid(-1e4) is 0 in float32, and unlike -inf gives no NaN
BIAS_WITHOUT_POSITIVES = -1e4
# bias of a class without negatives: with weight 0, its positives have a hinge loss of 0
BIAS_WITHOUT_NEGATIVES = 1.0


@dataclass(frozen=True)
class SVMConfig:
    """The hyperparameters of the SVMs and of hard-negative mining."""

    C: float = 1e-3  # rcnn_train.m, svm_C
    positive_weight: float = 2.0  # rcnn_train.m, pos_loss_weight
    bias_multiplier: float = 10.0  # rcnn_train.m, bias_mult: the bias is hardly regularized
    mean_norm: float = 20.0  # rcnn_scale_features.m: C was chosen on features of this mean norm
    negative_iou: float = 0.3  # section 2.3
    hard_threshold: float = -1.0001  # rcnn_train.m, hard_thresh: just outside the negatives' margin of -1
    evict_threshold: float = -1.2  # rcnn_train.m, evict_thresh
    retrain_limit: int = 2000  # rcnn_train.m, retrain_limit
    tolerance: float = 1e-4  # ours, liblinear's is 0.1: hard_threshold needs margins that are right to 1e-4
    max_iterations: int = 10_000  # ours: liblinear stops at 1000, converged or not
    mining_minutes: float = 0.0  # ours: the search for hard negatives ends after them; 0 for all photos
    seed: int = 0


@dataclass(frozen=True)
class SVMExamples:
    """The regions of one photo, ground-truth boxes among them, as the SVMs see them.

    `features` may be a view of a memmap: only the rows in use are read.
    """

    features: Float[np.ndarray, "N D"]
    overlaps: Float[np.ndarray, "N K"]  # highest IoU with an object of each class, ignored objects included
    positive_class: Int[np.ndarray, " N"]  # the label of a ground-truth box that counts, else -1


ReadExamples: TypeAlias = Callable[[int], SVMExamples]
"""The index of a photo -> its examples."""


@dataclass(frozen=True)
class SVMs:
    """One linear SVM per class; `weights` apply to features times `scale`."""

    weights: Float[np.ndarray, "K D"]
    biases: Float[np.ndarray, " K"]
    scale: float
    notes: tuple[str, ...] = ()  # classes that could not be fitted as usual, for the user

    def margins(self, features: Float[np.ndarray, "N D"]) -> Float[np.ndarray, "N K"]:
        """Return the signed distances in units of the margin, for features as the network computes them."""
        margins: Float[np.ndarray, "N K"]
        margins = np.asarray(features) @ (self.weights * np.float32(self.scale)).T + self.biases
        return margins


def train_svms(
    examples: ReadExamples,
    num_photos: int,
    class_names: Sequence[str],
    config: SVMConfig,
    progress: Progress | None = None,
    check: Callable[[], None] | None = None,
) -> SVMs:
    """Train all classes by one pass of hard-negative mining over photos 0..num_photos-1.

    `examples(i)` is called at most three times per photo: for norms, positives and negatives.
    `progress(done, total)` is called after the negatives of a photo. `check` is called several times per
    second while an SVM is fitted; like the other two, it may raise to stop the training.
    """
    scale = feature_scale(lambda i: examples(i).features, num_photos, config.mean_norm, config.seed)
    positives = _collect_positives(examples, num_photos, len(class_names))
    classes = [_ClassSVM(rows * np.float32(scale), config, check) for rows in positives]
    clock, late = Clock(None, config.mining_minutes), list[str]()
    for i in range(num_photos):
        _mine_photo(examples(i), classes, scale, config)
        if progress is not None:
            progress(i + 1, num_photos)
        if config.mining_minutes and clock.progress >= 1 and i + 1 < num_photos:
            late = [f"for lack of time, hard negatives are from {i + 1} of {num_photos} photos"]
            break
    for svm in classes:
        if svm.num_new:
            svm.train()
    notes = [note for svm, name in zip(classes, class_names, strict=True) for note in svm.notes(name)]
    return _stack(classes, scale, (*late, *notes))


def feature_scale(
    features: Callable[[int], Float[np.ndarray, "N D"]],
    num_photos: int,
    mean_norm: float = 20.0,
    seed: int = 0,
) -> float:
    """Return the factor that brings the mean L2 norm of features to `mean_norm` (rcnn_scale_features.m).

    `features(i)` returns the (N, D) features of photo i. The norm is measured on up to 200 regions of each of
    up to 200 photos, sampled at random. Raises TrainingError if the mean norm is not positive and finite.
    """
    generator = np.random.default_rng(seed)
    norms: list[Float[np.ndarray, " regions"]] = []
    for i in generator.permutation(num_photos):
        rows = features(int(i))
        sample = np.sort(generator.permutation(len(rows))[:MAX_SCALE_REGIONS])
        norms += [np.linalg.norm(rows[sample].astype(np.float64), axis=1)] if len(sample) else []
        if len(norms) == MAX_SCALE_PHOTOS:
            break
    all_norms = np.concatenate([np.zeros(0), *norms])
    mean = float(all_norms.mean()) if len(all_norms) else 0.0
    if not np.isfinite(mean) or mean <= 0:
        raise TrainingError(
            f"features cannot be scaled: {len(all_norms)} regions of {num_photos} photos have a mean norm of "
            f"{mean:g}, so there is nothing to learn from. Train again from other weights."
        )
    return mean_norm / mean


def _collect_positives(
    examples: ReadExamples, num_photos: int, num_classes: int
) -> list[Float[np.ndarray, "P D"]]:
    """Return the features of each class's ground-truth boxes."""
    per_class: list[list[Float[np.ndarray, "P D"]]] = [[] for _ in range(num_classes)]
    for i in range(num_photos):
        photo = examples(i)
        for k, rows in enumerate(per_class):
            rows.append(np.asarray(photo.features[photo.positive_class == k]))
    return [np.concatenate(rows) for rows in per_class]


def _mine_photo(photo: SVMExamples, classes: list[_ClassSVM], scale: float, config: SVMConfig) -> None:
    """Add a photo's hard negatives to each class's cache, and retrain a class once it has enough new ones."""
    margins = _stack(classes, scale).margins(photo.features)
    for k, svm in enumerate(classes):
        if not len(svm.positives):
            continue
        negative = (photo.overlaps[:, k] < config.negative_iou) & (photo.positive_class != k)
        # before the first training the bias makes all negatives hard
        hard = negative & (margins[:, k] > config.hard_threshold)
        svm.add_negatives(np.asarray(photo.features[hard]) * np.float32(scale))
        # train before the next class adds its own: most of the first photo's negatives are easy and evicted
        if svm.num_new > (config.retrain_limit if svm.trained else 0):
            svm.train()


def _stack(classes: list[_ClassSVM], scale: float, notes: tuple[str, ...] = ()) -> SVMs:
    weights = np.stack([svm.weights for svm in classes])
    return SVMs(weights, np.array([svm.bias for svm in classes], dtype=np.float32), scale, notes)


class _ClassSVM:
    """The SVM of one class while it is trained, with its positives and its cache of hard negatives."""

    def __init__(
        self,
        positives: Float[np.ndarray, "P D"],
        config: SVMConfig,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.positives, self.config, self.check = positives, config, check  # positives are scaled
        self.negatives: list[Float[np.ndarray, "Q D"]] = []  # the cache, scaled
        self.num_new = 0  # negatives added since the last training
        self.trained, self.converged = False, True
        self.weights = np.zeros(positives.shape[1], dtype=np.float32)
        self.bias = BIAS_WITHOUT_NEGATIVES if len(positives) else BIAS_WITHOUT_POSITIVES

    def add_negatives(self, negatives: Float[np.ndarray, "Q D"]) -> None:
        """Add hard negatives to the cache."""
        if len(negatives):
            self.negatives.append(negatives)
            self.num_new += len(negatives)

    def train(self) -> None:
        """Fit the SVM to the positives and the cache, and evict the easy negatives from the cache."""
        from sklearn.svm import LinearSVC  # takes half a second, and only R-CNN needs it

        config, num_positive = self.config, len(self.positives)
        examples = np.concatenate([self.positives, *self.negatives])
        is_object = np.where(np.arange(len(examples)) < num_positive, 1, -1)
        svm = LinearSVC(
            loss="hinge",
            dual=True,
            C=config.C,
            intercept_scaling=config.bias_multiplier,
            class_weight={1: config.positive_weight},
            tol=config.tolerance,
            max_iter=config.max_iterations,
            random_state=config.seed,
        )

        def fit() -> None:
            with LIBLINEAR_LOCK:
                svm.fit(examples, is_object)

        run_in_background(fit, self.check)
        self.weights, self.bias = svm.coef_[0].astype(np.float32), float(svm.intercept_[0])
        self.trained, self.converged = True, svm.n_iter_ < config.max_iterations
        negatives = examples[num_positive:]
        self.negatives = [negatives[negatives @ self.weights + self.bias >= config.evict_threshold]]
        self.num_new = 0

    def notes(self, name: str) -> list[str]:
        """Return what the user should know about the class."""
        if not len(self.positives):
            return [f"{name!r} has no labeled box in the training photos and will never be detected"]
        if not self.trained:
            return [f"no negative regions found for {name!r}: every region is detected as one"]
        if not self.converged:
            limit = self.config.max_iterations
            return [
                f"the SVM of {name!r} did not converge in {limit} iterations; its scores may be inaccurate"
            ]
        return []

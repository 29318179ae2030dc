"""R-CNN's linear SVMs, one a class, and the mining of their hard negatives.

Girshick, Donahue, Darrell, Malik 2014 (arXiv:1311.2524v5), section 2.3 and appendix B, with the numbers of
the authors' code (rcnn_train.m) where the paper gives none.

    features of windows -> scaled to a mean norm of 20 -> K hinge losses -> weights (K, D), biases (K,)

Positives of a class are its ground-truth boxes alone. Negatives are the windows whose IoU with every box of
the class is below 0.3, ground-truth boxes of other classes among them, as in the authors' code. What lies
between is ignored. All photos' negatives would not fit in memory, so one pass over the photos keeps those
that are hard for the SVMs of the moment.

Classes are trained one after the other: liblinear lets go of Python's lock, but scikit-learn gives all its
threads one random generator, so that threads would change the result from run to run.

Shapes: N windows of a photo, D features, K classes, P positives and Q negatives of a class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from boxmask.errors import TrainingError

Array = NDArray[np.float32]
SAMPLED_PHOTOS = SAMPLED_WINDOWS = 200  # of a photo, to measure norms on (authors' rcnn_feature_stats.m)
NEVER = -1e4  # bias of a class without examples: sigmoid(-1e4) is 0 in float32, and unlike -inf has no NaN
ALWAYS = 1.0  # bias of a class that has seen no negatives: with weight 0 it leaves its positives no loss


@dataclass(frozen=True)
class SVMConfig:
    """The numbers of the SVMs and of mining; `rcnn_train.m` is the authors' code."""

    C: float = 1e-3  # rcnn_train.m, svm_C
    positive_weight: float = 2.0  # rcnn_train.m, pos_loss_weight
    bias_multiplier: float = 10.0  # rcnn_train.m, bias_mult: the bias is hardly regularized
    mean_norm: float = 20.0  # rcnn_scale_features.m: C was chosen on features of this mean norm
    negative_iou: float = 0.3  # section 2.3
    hard: float = -1.0001  # rcnn_train.m, hard_thresh: just outside the negatives' margin of -1
    easy: float = -1.2  # rcnn_train.m, evict_thresh
    retrain_after: int = 2000  # rcnn_train.m, retrain_limit
    tolerance: float = 1e-4  # ours, for liblinear's 0.1: `hard` asks for margins that are right to 1e-4
    max_iterations: int = 10_000  # ours: liblinear stops at 1000, converged or not
    seed: int = 0


@dataclass(frozen=True)
class WindowFeatures:
    """What the SVMs see of one photo: its windows, ground-truth boxes among them.

    `features` may be a view of a memmap: what is not needed is not read.
    """

    features: Array  # (N, D)
    overlaps: Array  # (N, K) best IoU with an object of each class; difficult and crowd ones count here
    positive_class: NDArray[np.int64]  # (N,) the label of a ground-truth box to learn from, -1 elsewhere


@dataclass(frozen=True)
class SVMs:
    """One linear SVM a class; `weights` apply to features times `scale`."""

    weights: Array  # (K, D)
    biases: Array  # (K,)
    scale: float
    notes: tuple[str, ...] = ()  # what the user should know of classes that could not be learned as usual

    def margins(self, features: Array) -> Array:
        """Signed distances in units of the margin: features (N, D), as the network gave them -> (N, K)."""
        margins: Array = np.asarray(features) @ (self.weights * np.float32(self.scale)).T + self.biases
        return margins


class Calibration(NamedTuple):
    """scores = sigmoid(slope * margins + offset); slope > 0, so that scores rank as margins do."""

    slope: float = 1.0
    offset: float = 0.0
    note: str = ""  # why it had to be 1 and 0


Photo = Callable[[int], WindowFeatures]


def train_svms(
    photo: Photo,
    num_photos: int,
    class_names: Sequence[str],
    config: SVMConfig,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> SVMs | None:
    """One pass of hard-negative mining over photos 0..num_photos-1, for all classes; None if `stop` ended it.

    `photo(i)` is called three times at most, for norms, positives and negatives; `stop` before each of the
    last two, `progress(done, photos)` after the last.
    """
    stop = stop or (lambda: False)
    scale = feature_scale(lambda i: photo(i).features, num_photos, config.mean_norm, config.seed)
    positives = _positives(photo, num_photos, len(class_names), stop)
    if positives is None:
        return None
    miners = [_Miner(rows * np.float32(scale), config) for rows in positives]
    for i in range(num_photos):
        if stop():
            return None
        _mine(photo(i), miners, scale, config)
        if progress is not None:
            progress(i + 1, num_photos)
    for miner in miners:
        if miner.num_new:
            miner.train()
    notes = [note for miner, name in zip(miners, class_names, strict=True) for note in miner.notes(name)]
    return _assemble(miners, scale, tuple(notes))


def feature_scale(
    features: Callable[[int], Array], num_photos: int, mean_norm: float = 20.0, seed: int = 0
) -> float:
    """The factor that brings the mean L2 norm of features to `mean_norm` (rcnn_scale_features.m).

    `features(i)` are the (N, D) features of photo i; 200 windows are drawn of each of 200 photos with any.
    Raises TrainingError where no such factor exists.
    """
    draw = np.random.default_rng(seed)
    norms: list[NDArray[np.float64]] = []
    for i in draw.permutation(num_photos):
        windows = features(int(i))
        rows = np.sort(draw.permutation(len(windows))[:SAMPLED_WINDOWS])
        norms += [np.linalg.norm(windows[rows].astype(np.float64), axis=1)] if len(rows) else []
        if len(norms) == SAMPLED_PHOTOS:
            break
    all_norms = np.concatenate([np.zeros(0), *norms])
    mean = float(all_norms.mean()) if len(all_norms) else 0.0
    if not np.isfinite(mean) or mean <= 0:
        raise TrainingError(
            f"features cannot be scaled: {len(all_norms)} windows of {num_photos} photos have a mean norm of "
            f"{mean:g}. The network gives nothing to learn from; start again from sound weights."
        )
    return mean_norm / mean


def calibration(margins: Array, is_object: NDArray[np.bool_]) -> Calibration:
    """A sigmoid that turns one class's margins (M,) into probabilities that a window is_object (M,).

    Platt 1999, "Probabilistic outputs for support vector machines", section 2, with its softened targets,
    which keep the slope finite where a threshold parts objects from the rest.
    """
    num_objects, num_others = int(is_object.sum()), int((~is_object).sum())
    if not num_objects or not num_others or np.ptp(margins) == 0:
        return Calibration(
            note="scores are not calibrated: no objects, nothing else, or margins all the same"
        )
    target = np.where(is_object, (num_objects + 1) / (num_objects + 2), 1 / (num_others + 2))
    # each margin comes as an object and as none, weighted by its target; Newton, as few objects among many
    # windows make gradients so small that lbfgs stops too soon
    solver = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    twice, answers = np.tile(margins.astype(np.float64), 2)[:, None], np.repeat([1, 0], len(margins))
    solver.fit(twice, answers, sample_weight=np.concatenate([target, 1 - target]))
    slope, offset = float(solver.coef_[0, 0]), float(solver.intercept_[0])
    if slope <= 0:
        return Calibration(note="scores are not calibrated: objects had no higher margins than the rest")
    return Calibration(slope, offset)


def _positives(
    photo: Photo, num_photos: int, num_classes: int, stop: Callable[[], bool]
) -> list[Array] | None:
    """The features of each class's ground-truth boxes, K x (P, D), or None if `stop` ended it."""
    found: list[list[Array]] = [[] for _ in range(num_classes)]
    for i in range(num_photos):
        if stop():
            return None
        windows = photo(i)
        for k, rows in enumerate(found):
            rows.append(np.asarray(windows.features[windows.positive_class == k]))
    return [np.concatenate(rows) for rows in found]


def _mine(windows: WindowFeatures, miners: list[_Miner], scale: float, config: SVMConfig) -> None:
    """Let every class take the hard negatives of one photo, and train where it is time."""
    margins = _assemble(miners, scale).margins(windows.features)
    for k, miner in enumerate(miners):
        if not len(miner.positives):
            continue
        negative = (windows.overlaps[:, k] < config.negative_iou) & (windows.positive_class != k)
        hard = negative & (margins[:, k] > config.hard)  # all of them until the first training: see ALWAYS
        miner.add(np.asarray(windows.features[hard]) * np.float32(scale))
        # at once, before the next class adds its own: the first photo's negatives are mostly easy
        if miner.num_new > (config.retrain_after if miner.trained else 0):
            miner.train()


def _assemble(miners: list[_Miner], scale: float, notes: tuple[str, ...] = ()) -> SVMs:
    weights = np.stack([miner.weights for miner in miners])
    return SVMs(weights, np.array([miner.bias for miner in miners], dtype=np.float32), scale, notes)


class _Miner:
    """One class in training: its positives, the cache of its negatives, and its SVM of the moment."""

    def __init__(self, positives: Array, config: SVMConfig) -> None:
        self.positives, self.config = positives, config  # (P, D), scaled
        self.negatives: list[Array] = []  # together (Q, D), scaled
        self.num_new = 0  # negatives since the last training
        self.trained, self.converged = False, True
        self.weights = np.zeros(positives.shape[1], dtype=np.float32)
        self.bias = ALWAYS if len(positives) else NEVER

    def add(self, negatives: Array) -> None:
        """Put negatives (Q, D) into the cache."""
        if len(negatives):
            self.negatives.append(negatives)
            self.num_new += len(negatives)

    def train(self) -> None:
        """Fit the SVM to the positives and the cache; then drop the easy negatives."""
        c, num_positive = self.config, len(self.positives)
        examples = np.concatenate([self.positives, *self.negatives])
        is_object = np.where(np.arange(len(examples)) < num_positive, 1, -1)
        problem = {"C": c.C, "intercept_scaling": c.bias_multiplier, "class_weight": {1: c.positive_weight}}
        solver = {"dual": True, "tol": c.tolerance, "max_iter": c.max_iterations, "random_state": c.seed}
        svm = LinearSVC(loss="hinge", **problem, **solver).fit(examples, is_object)
        self.weights, self.bias = svm.coef_[0].astype(np.float32), float(svm.intercept_[0])
        self.trained, self.converged = True, svm.n_iter_ < c.max_iterations
        negatives = examples[num_positive:]
        self.negatives = [negatives[negatives @ self.weights + self.bias >= c.easy]]
        self.num_new = 0

    def notes(self, name: str) -> list[str]:
        """What to tell the user of this class."""
        if not len(self.positives):
            return [f"{name!r} has no labeled box to learn from and will never be found"]
        if not self.trained:
            return [f"{name!r} overlaps every window, so that nothing is unlike it: any window passes for it"]
        if not self.converged:
            limit = self.config.max_iterations
            return [f"the SVM of {name!r} had not converged after {limit} iterations; its scores may be off"]
        return []

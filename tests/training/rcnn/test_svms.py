from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from boxmask.errors import TrainingError
from boxmask.training.rcnn import svms
from boxmask.training.rcnn.svms import (
    SVMConfig,
    SVMs,
    WindowFeatures,
    calibration,
    feature_scale,
    train_svms,
)

PAPER = SVMConfig()


def windows(features: object, overlaps: object, positive_class: object) -> WindowFeatures:
    return WindowFeatures(
        np.array(features, dtype=np.float32),
        np.array(overlaps, dtype=np.float32),
        np.array(positive_class, dtype=np.int64),
    )


def trained(photos: Sequence[WindowFeatures], names: str, config: SVMConfig = PAPER) -> SVMs:
    """The SVMs of classes named by the letters of `names`."""
    found = train_svms(lambda i: photos[i], len(photos), list(names), config)
    assert found is not None
    return found


def scattered(num_photos: int, num_classes: int, seed: int = 0) -> list[WindowFeatures]:
    """Photos of 60 windows in 8 dimensions; two objects a photo, whose class shifts a dimension by 2."""
    draw, photos = np.random.default_rng(seed), []
    for _ in range(num_photos):
        features = draw.normal(size=(60, 8))
        overlaps = draw.uniform(0, 0.5, (60, num_classes))
        labels = np.full(60, -1)
        labels[:2] = draw.integers(num_classes, size=2)
        features[[0, 1], labels[:2]] += 2
        overlaps[[0, 1], labels[:2]] = 1
        photos.append(windows(features, overlaps, labels))
    return photos


def negatives(photos: Sequence[WindowFeatures], k: int, scale: float) -> np.ndarray:
    rows = [p.features[(p.overlaps[:, k] < 0.3) & (p.positive_class != k)] for p in photos]
    return np.concatenate(rows) * np.float32(scale)


def positives(photos: Sequence[WindowFeatures], k: int, scale: float) -> np.ndarray:
    return np.concatenate([p.features[p.positive_class == k] for p in photos]) * np.float32(scale)


def solved(positive: np.ndarray, negative: np.ndarray, config: SVMConfig) -> LinearSVC:
    solver = LinearSVC(
        loss="hinge",
        dual=True,
        C=config.C,
        intercept_scaling=10,
        class_weight={1: 2},
        random_state=0,
        max_iter=10_000,
    )
    return solver.fit(np.concatenate([positive, negative]), [1] * len(positive) + [-1] * len(negative))


def loss(w: np.ndarray, b: float, positive: np.ndarray, negative: np.ndarray, config: SVMConfig) -> float:
    hinge = 2 * np.maximum(0, 1 - positive @ w - b).sum() + np.maximum(0, 1 + negative @ w + b).sum()
    return float(0.5 * w @ w + 0.5 * (b / 10) ** 2 + config.C * hinge)


class Identity:
    """A solver whose margins are the one feature itself; remembers what it was trained on."""

    seen: list[tuple[list[float], list[float]]]

    def __init__(self, **_: object) -> None:
        self.coef_, self.intercept_, self.n_iter_ = np.ones((1, 1)), np.zeros(1), 1

    def fit(self, examples: np.ndarray, is_object: np.ndarray) -> Identity:
        column = examples[:, 0].astype(float)
        self.seen.append((column[is_object == 1].tolist(), column[is_object == -1].tolist()))
        return self


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float], list[float]]]:
    """Positives and negatives of every training, by a solver whose margins are the features."""
    monkeypatch.setattr(Identity, "seen", [], raising=False)
    monkeypatch.setattr(svms, "LinearSVC", Identity)
    monkeypatch.setattr(svms, "feature_scale", lambda *_: 1.0)
    return Identity.seen


# ---------------------------------------------------------------- the scale of features


def test_the_scale_brings_the_mean_norm_to_20() -> None:
    rows = np.array([[3, 4], [0, 15]], dtype=np.float32)  # norms 5 and 15
    assert feature_scale(lambda _: rows, 1) == 2.0
    assert feature_scale(lambda i: rows[i : i + 1], 2, mean_norm=5.0) == 0.5


@given(st.integers(1, 20), st.integers(1, 50), st.floats(0.01, 100))
def test_scaled_features_have_the_norm_that_was_asked_for(num_photos: int, rows: int, size: float) -> None:
    features = np.random.default_rng(rows).normal(size=(num_photos, rows, 3)).astype(np.float32) * size
    scale = feature_scale(lambda i: features[i], num_photos)
    assert np.linalg.norm(features * scale, axis=2).mean() == pytest.approx(20, rel=1e-5)


def test_of_many_photos_200_are_looked_at_and_200_windows_of_each() -> None:
    asked = []

    def features(i: int) -> np.ndarray:
        asked.append(i)
        return np.repeat(np.float32([[1.0], [100.0]]), [300, 3], axis=0)  # 303 windows: 3 large ones

    scales = {feature_scale(features, 500, seed=s) for s in (0, 0, 1)}
    assert len(asked) == 3 * 200
    assert asked[:200] == asked[200:400] != asked[400:]
    assert len(set(asked[:200])) == 200
    assert len(scales) == 2  # the same draw gives the same scale
    assert all(20 / scale == pytest.approx(1 + 99 * 3 / 303, rel=0.1) for scale in scales)


@pytest.mark.parametrize("rows", [np.zeros((4, 2)), np.full((4, 2), np.nan), np.zeros((0, 2))])
def test_features_without_a_norm_are_an_error(rows: np.ndarray) -> None:
    with pytest.raises(TrainingError, match=rf"{3 * len(rows)} windows of 3 photos have a mean norm of"):
        feature_scale(lambda _: rows.astype(np.float32), 3)


# ---------------------------------------------------------------- which windows are what


def test_positives_negatives_and_ignored(seen: list[tuple[list[float], list[float]]]) -> None:
    photo = windows(
        [[1], [2], [3], [4], [5], [6], [7]],
        [[1, 0.2], [0.1, 1], [0.5, 1], [0.29, 0.9], [0.31, 0.1], [0.3, 0.0], [0.0, 0.0]],
        [0, 1, 1, -1, -1, -1, -1],
    )
    trained([photo], "ab")
    # a: window 2 (an object of b, far from a), 4, 7; not 3 (an object of b on an a) nor 5, 6 (0.3 or more)
    assert seen[0] == ([1], [2, 4, 7])
    # b: window 1 (an object of a) and 5, 6, 7; 4 lies on a b
    assert seen[1] == ([2, 3], [1, 5, 6, 7])


def test_an_object_is_no_negative_of_its_own_class_whatever_its_overlap_says(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    trained([windows([[1], [2]], [[0.0], [0.0]], [0, -1])], "a")
    assert seen == [([1], [2])]


def test_positives_come_from_all_photos_before_the_first_training(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    trained([windows([[i], [-i]], [[1], [0]], [0, -1]) for i in (1, 2, 3)], "a")
    assert seen == [([1, 2, 3], [-1])]


# ---------------------------------------------------------------- mining


def test_mining_step_by_step(seen: list[tuple[list[float], list[float]]]) -> None:
    background = [
        [-3, -1.25, -1.125, 0],  # the first photo: all of them, then -3 < -1.25 is dropped
        [-1.0, -0.5, -0.25],  # -1 is not above -1; two are new, which is not more than two
        [-2.0, 0.5],  # the third new one: trained
        [-0.75],  # one new one, which the training at the end takes in
    ]
    photos = [windows([[x] for x in row], [[0]] * len(row), [-1] * len(row)) for row in background]
    photos[0] = windows([[9], *photos[0].features], [[1], *photos[0].overlaps], [0, -1, -1, -1, -1])
    trained(photos, "a", SVMConfig(hard=-1.0, easy=-1.25, retrain_after=2))
    assert [negative for _, negative in seen] == [
        [-3, -1.25, -1.125, 0],
        [-1.25, -1.125, 0, -0.5, -0.25, 0.5],
        [-1.25, -1.125, 0, -0.5, -0.25, 0.5, -0.75],
    ]
    assert all(positive == [9] for positive, _ in seen)


def test_nothing_new_is_no_reason_to_train(seen: list[tuple[list[float], list[float]]]) -> None:
    trained([windows([[1], [-5]], [[1], [0]], [0, -1]), windows([[-6]], [[0]], [-1])], "a")
    assert seen == [([1], [-5])]


def test_a_first_photo_without_negatives_leaves_the_beginning_to_the_next(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    empty = windows(np.zeros((0, 1)), np.zeros((0, 1)), [])
    first, second = windows([[1]], [[1]], [0]), windows([[-7], [-8]], [[0], [0]], [-1, -1])
    trained([empty, first, second, second], "a")
    assert seen == [([1], [-7, -8])]


def test_the_first_training_is_one_svm_on_all_negatives_of_the_photo() -> None:
    photos = scattered(1, 1)
    found = trained(photos, "a")
    direct = solved(positives(photos, 0, found.scale), negatives(photos, 0, found.scale), PAPER)
    np.testing.assert_array_equal(found.weights, direct.coef_.astype(np.float32))


def test_where_everything_stays_in_the_cache_mining_is_one_svm_on_all_negatives() -> None:
    photos, config = scattered(6, 2), SVMConfig(C=1e-7)  # hardly a weight: every margin is above -1
    found = trained(photos, "ab", config)
    for k in range(2):
        positive, negative = positives(photos, k, found.scale), negatives(photos, k, found.scale)
        direct = solved(positive, negative, config)
        assert (negative @ found.weights[k] + found.biases[k] > -1).all()
        np.testing.assert_array_equal(found.weights[k], direct.coef_[0].astype(np.float32))
        np.testing.assert_array_equal(found.biases[k], np.float32(direct.intercept_[0]))


def test_mining_finds_nearly_the_svm_of_all_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    photos, config, sizes = scattered(60, 1), SVMConfig(retrain_after=50), []
    train = svms._Miner.train
    count = lambda miner: sizes.append(sum(map(len, miner.negatives))) or train(miner)  # noqa: E731
    monkeypatch.setattr(svms._Miner, "train", count)
    found = trained(photos, "a", config)
    positive, negative = positives(photos, 0, found.scale), negatives(photos, 0, found.scale)
    best = solved(positive, negative, config)
    least = loss(best.coef_[0], best.intercept_[0], positive, negative, config)
    assert loss(found.weights[0], found.biases[0], positive, negative, config) < 1.01 * least
    assert len(sizes) > 2
    assert max(sizes) < len(negative) / 2


def test_classes_do_not_see_each_other_and_results_repeat() -> None:
    photos = scattered(10, 3)
    together, again = trained(photos, "abc"), trained(photos, "abc")
    np.testing.assert_array_equal(together.weights, again.weights)
    np.testing.assert_array_equal(together.biases, again.biases)
    alone = trained(
        [
            replace(p, overlaps=p.overlaps[:, 1:2], positive_class=np.where(p.positive_class == 1, 0, -1))
            for p in photos
        ],
        "b",
    )
    np.testing.assert_allclose(alone.weights[0], together.weights[1], rtol=1e-5, atol=1e-7)


def test_a_memmap_serves_as_well(tmp_path: Path) -> None:
    photos = scattered(5, 2)
    file = np.memmap(tmp_path / "features", dtype=np.float32, mode="w+", shape=(5, 60, 8))
    file[:] = np.stack([p.features for p in photos])
    mapped = trained([replace(p, features=file[i]) for i, p in enumerate(photos)], "ab")
    np.testing.assert_array_equal(mapped.weights, trained(photos, "ab").weights)
    assert type(mapped.weights) is type(mapped.margins(file[0])) is np.ndarray


# ---------------------------------------------------------------- classes that lack something


def test_a_class_without_objects_never_fires_and_says_so() -> None:
    photos = scattered(3, 2)
    photos = [replace(p, overlaps=np.pad(p.overlaps, ((0, 0), (0, 1)))) for p in photos]
    found = trained(photos, "abc")
    assert (found.margins(photos[0].features)[:, 2] <= -1e4).all()
    assert found.notes == ("'c' has no labeled box to learn from and will never be found",)
    np.testing.assert_array_equal(found.weights[:2], trained(photos, "ab").weights)


def test_a_class_without_negatives_always_fires_and_says_so() -> None:
    found = trained([windows([[1], [2]], [[1], [0.4]], [0, -1])], "a")
    np.testing.assert_array_equal(found.margins(np.float32([[-9], [9]])), [[1], [1]])
    assert len(found.notes) == 1
    assert "'a' overlaps every window" in found.notes[0]


def test_a_single_example_is_enough() -> None:
    photo = windows([[1, 0], [0, 1], [0, -1], [-1, 0]], [[1], [0], [0], [0]], [0, -1, -1, -1])
    found = trained([photo], "a")
    margins = found.margins(photo.features)[:, 0]
    assert margins[0] > margins[1:].max()
    assert found.notes == ()


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_that_did_not_converge_is_told_of() -> None:
    with pytest.warns(ConvergenceWarning):
        found = trained(scattered(4, 1), "a", SVMConfig(C=10.0, max_iterations=1))
    assert found.notes == ("the SVM of 'a' had not converged after 1 iterations; its scores may be off",)


# ---------------------------------------------------------------- margins, progress, stopping


def test_margins_scale_the_features_first() -> None:
    found = SVMs(np.float32([[1, 2], [0, -1]]), np.float32([0.5, 0]), scale=10.0)
    np.testing.assert_array_equal(found.margins(np.float32([[1, 1], [0, 3]])), [[30.5, -10], [60.5, -30]])


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([0.125, 0.5, 2.0, 64.0]))
def test_the_size_of_the_network_s_features_does_not_matter(factor: float) -> None:
    photos = scattered(4, 1)
    large = [replace(p, features=p.features * np.float32(factor)) for p in photos]
    ours, theirs = trained(photos, "a"), trained(large, "a")
    np.testing.assert_array_equal(
        ours.margins(photos[0].features), theirs.margins(large[0].features)
    )  # powers of two


def test_progress_counts_photos() -> None:
    photos, told = scattered(3, 1), []
    train_svms(lambda i: photos[i], 3, ["a"], PAPER, progress=lambda *step: told.append(step))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("calls", range(6))
def test_a_stop_between_any_two_photos_ends_it(calls: int) -> None:
    photos, answers = scattered(3, 1), [False] * calls + [True]
    stop: Callable[[], bool] = lambda: answers.pop(0)  # noqa: E731
    assert train_svms(lambda i: photos[i], 3, ["a"], PAPER, stop=stop) is None
    assert not answers


# ---------------------------------------------------------------- calibration


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_two_margins_by_hand() -> None:
    # Platt's targets of one object and one other are 2/3 and 1/3: sigmoid(slope) = 2/3, slope = ln 2
    slope, offset, note = calibration(np.float32([1, -1]), np.array([True, False]))
    assert (slope, offset, note) == (pytest.approx(np.log(2), abs=1e-6), pytest.approx(0, abs=1e-6), "")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 5), st.floats(0.3, 4))
def test_the_sigmoid_is_the_likeliest_and_ranks_as_the_margins_do(
    seed: int, num_objects: int, gap: float
) -> None:
    draw = np.random.default_rng(seed)
    is_object = np.arange(2000) < num_objects
    margins = (draw.normal(size=2000) * 0.3 - 1 + gap * is_object).astype(np.float32)
    slope, offset, note = calibration(margins, is_object)
    if note:
        assert (slope, offset) == (1, 0)
        return
    target = np.where(is_object, (num_objects + 1) / (num_objects + 2), 1 / (2002 - num_objects))
    wrong = target - sigmoid(slope * margins.astype(float) + offset)
    assert slope > 0
    assert abs(wrong.sum()) < 1e-3  # the derivative of Platt's likelihood by the offset, and by the slope:
    assert abs((wrong * margins).sum()) < 1e-3


@pytest.mark.parametrize(
    ("margins", "is_object", "why"),
    [
        ([], [], "no objects"),
        ([0.5, -1], [True, True], "nothing else"),
        ([0.5, -1], [False, False], "no objects"),
        ([-1e4, -1e4], [True, False], "all the same"),
        ([-1, 1], [True, False], "no higher margins than the rest"),
    ],
)
def test_where_nothing_can_be_calibrated_the_sigmoid_is_plain_and_says_so(
    margins: list[float], is_object: list[bool], why: str
) -> None:
    slope, offset, note = calibration(np.float32(margins), np.array(is_object, dtype=bool))
    assert (slope, offset) == (1, 0)
    assert note.startswith("scores are not calibrated")
    assert why in note

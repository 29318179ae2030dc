from __future__ import annotations

from collections.abc import Sequence
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
    SVMExamples,
    SVMs,
    feature_scale,
    train_svms,
)

PAPER = SVMConfig()


def make_examples(features: object, overlaps: object, positive_class: object) -> SVMExamples:
    return SVMExamples(
        np.array(features, dtype=np.float32),
        np.array(overlaps, dtype=np.float32),
        np.array(positive_class, dtype=np.int64),
    )


def trained(photos: Sequence[SVMExamples], names: str, config: SVMConfig = PAPER) -> SVMs:
    """The SVMs of classes named by the letters of `names`."""
    svms = train_svms(lambda i: photos[i], len(photos), list(names), config)
    assert svms is not None
    return svms


def scattered(num_photos: int, num_classes: int, seed: int = 0) -> list[SVMExamples]:
    """Photos of 60 regions in 8 dimensions, with two objects each, whose class shifts a dimension by 2."""
    generator, photos = np.random.default_rng(seed), []
    for _ in range(num_photos):
        features = generator.normal(size=(60, 8))
        overlaps = generator.uniform(0, 0.5, (60, num_classes))
        labels = np.full(60, -1)
        labels[:2] = generator.integers(num_classes, size=2)
        features[[0, 1], labels[:2]] += 2
        overlaps[[0, 1], labels[:2]] = 1
        photos.append(make_examples(features, overlaps, labels))
    return photos


def negatives(photos: Sequence[SVMExamples], k: int, scale: float) -> np.ndarray:
    rows = [p.features[(p.overlaps[:, k] < 0.3) & (p.positive_class != k)] for p in photos]
    return np.concatenate(rows) * np.float32(scale)


def positives(photos: Sequence[SVMExamples], k: int, scale: float) -> np.ndarray:
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
    """A solver whose margins are the only feature itself. It records what it was trained on."""

    seen: list[tuple[list[float], list[float]]]

    def __init__(self, **_: object) -> None:
        self.coef_, self.intercept_, self.n_iter_ = np.ones((1, 1)), np.zeros(1), 1

    def fit(self, examples: np.ndarray, is_object: np.ndarray) -> Identity:
        column = examples[:, 0].astype(float)
        self.seen.append((column[is_object == 1].tolist(), column[is_object == -1].tolist()))
        return self


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float], list[float]]]:
    """Positives and negatives of every training, with a solver whose margins are the features."""
    monkeypatch.setattr(Identity, "seen", [], raising=False)
    monkeypatch.setattr("sklearn.svm.LinearSVC", Identity)
    monkeypatch.setattr(svms, "feature_scale", lambda *_: 1.0)
    return Identity.seen


# ---------------------------------------------------------------- the scale of features


def test_the_scale_brings_the_mean_norm_to_20() -> None:
    rows = np.array([[3, 4], [0, 15]], dtype=np.float32)  # norms 5 and 15
    assert feature_scale(lambda _: rows, 1) == 2.0
    assert feature_scale(lambda i: rows[i : i + 1], 2, mean_norm=5.0) == 0.5


@given(st.integers(1, 20), st.integers(1, 50), st.floats(0.01, 100))
def test_scaled_features_have_the_given_mean_norm(num_photos: int, rows: int, size: float) -> None:
    features = np.random.default_rng(rows).normal(size=(num_photos, rows, 3)).astype(np.float32) * size
    scale = feature_scale(lambda i: features[i], num_photos)
    assert np.linalg.norm(features * scale, axis=2).mean() == pytest.approx(20, rel=1e-5)


def test_the_norm_is_measured_on_200_regions_of_200_photos() -> None:
    calls = []

    def features(i: int) -> np.ndarray:
        calls.append(i)
        return np.repeat(np.float32([[1.0], [100.0]]), [300, 3], axis=0)  # 303 regions, 3 of them large

    scales = {feature_scale(features, 500, seed=s) for s in (0, 0, 1)}
    assert len(calls) == 3 * 200
    assert calls[:200] == calls[200:400] != calls[400:]
    assert len(set(calls[:200])) == 200
    assert len(scales) == 2  # the same seed gives the same scale
    assert all(20 / scale == pytest.approx(1 + 99 * 3 / 303, rel=0.1) for scale in scales)


@pytest.mark.parametrize("rows", [np.zeros((4, 2)), np.full((4, 2), np.nan), np.zeros((0, 2))])
def test_features_without_a_norm_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(TrainingError, match=rf"{3 * len(rows)} regions of 3 photos have a mean norm of"):
        feature_scale(lambda _: rows.astype(np.float32), 3)


# ---------------------------------------------------------------- positives and negatives


def test_positives_negatives_and_ignored(seen: list[tuple[list[float], list[float]]]) -> None:
    photo = make_examples(
        [[1], [2], [3], [4], [5], [6], [7]],
        [[1, 0.2], [0.1, 1], [0.5, 1], [0.29, 0.9], [0.31, 0.1], [0.3, 0.0], [0.0, 0.0]],
        [0, 1, 1, -1, -1, -1, -1],
    )
    trained([photo], "ab")
    # a: region 2 (an object of b, far from a), 4, 7; not 3 (an object of b on an a) nor 5, 6 (0.3 or more)
    assert seen[0] == ([1], [2, 4, 7])
    # b: region 1 (an object of a) and 5, 6, 7; 4 overlaps a b
    assert seen[1] == ([2, 3], [1, 5, 6, 7])


def test_an_object_is_never_a_negative_of_its_own_class(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    trained([make_examples([[1], [2]], [[0.0], [0.0]], [0, -1])], "a")
    assert seen == [([1], [2])]


def test_positives_come_from_all_photos_before_the_first_training(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    trained([make_examples([[i], [-i]], [[1], [0]], [0, -1]) for i in (1, 2, 3)], "a")
    assert seen == [([1, 2, 3], [-1])]


# ---------------------------------------------------------------- mining


def test_mining_step_by_step(seen: list[tuple[list[float], list[float]]]) -> None:
    background = [
        [-3, -1.25, -1.125, 0],  # the first photo: all of them; then -3 < -1.25 is evicted
        [-1.0, -0.5, -0.25],  # -1 is not above -1; two new ones are not more than two
        [-2.0, 0.5],  # the third new one: retrained
        [-0.75],  # one new one, for the training at the end
    ]
    photos = [make_examples([[x] for x in row], [[0]] * len(row), [-1] * len(row)) for row in background]
    photos[0] = make_examples([[9], *photos[0].features], [[1], *photos[0].overlaps], [0, -1, -1, -1, -1])
    trained(photos, "a", SVMConfig(hard_threshold=-1.0, evict_threshold=-1.25, retrain_limit=2))
    assert [negative for _, negative in seen] == [
        [-3, -1.25, -1.125, 0],
        [-1.25, -1.125, 0, -0.5, -0.25, 0.5],
        [-1.25, -1.125, 0, -0.5, -0.25, 0.5, -0.75],
    ]
    assert all(positive == [9] for positive, _ in seen)


def test_without_new_negatives_an_svm_is_not_retrained(seen: list[tuple[list[float], list[float]]]) -> None:
    trained([make_examples([[1], [-5]], [[1], [0]], [0, -1]), make_examples([[-6]], [[0]], [-1])], "a")
    assert seen == [([1], [-5])]


def test_the_first_training_waits_for_negatives(
    seen: list[tuple[list[float], list[float]]],
) -> None:
    empty = make_examples(np.zeros((0, 1)), np.zeros((0, 1)), [])
    first, second = make_examples([[1]], [[1]], [0]), make_examples([[-7], [-8]], [[0], [0]], [-1, -1])
    trained([empty, first, second, second], "a")
    assert seen == [([1], [-7, -8])]


def test_the_first_training_is_one_svm_on_all_negatives_of_the_photo() -> None:
    photos = scattered(1, 1)
    result = trained(photos, "a")
    direct = solved(positives(photos, 0, result.scale), negatives(photos, 0, result.scale), PAPER)
    np.testing.assert_array_equal(result.weights, direct.coef_.astype(np.float32))


def test_if_nothing_is_evicted_mining_equals_one_svm_on_all_negatives() -> None:
    photos, config = scattered(6, 2), SVMConfig(C=1e-7)  # tiny weights: every margin is above -1
    result = trained(photos, "ab", config)
    for k in range(2):
        positive, negative = positives(photos, k, result.scale), negatives(photos, k, result.scale)
        direct = solved(positive, negative, config)
        assert (negative @ result.weights[k] + result.biases[k] > -1).all()
        np.testing.assert_array_equal(result.weights[k], direct.coef_[0].astype(np.float32))
        np.testing.assert_array_equal(result.biases[k], np.float32(direct.intercept_[0]))


def test_mining_comes_close_to_the_svm_on_all_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    photos, config, sizes = scattered(60, 1), SVMConfig(retrain_limit=50), []
    train = svms._ClassSVM.train
    count = lambda svm: sizes.append(sum(map(len, svm.negatives))) or train(svm)  # noqa: E731
    monkeypatch.setattr(svms._ClassSVM, "train", count)
    result = trained(photos, "a", config)
    positive, negative = positives(photos, 0, result.scale), negatives(photos, 0, result.scale)
    optimum = solved(positive, negative, config)
    lowest = loss(optimum.coef_[0], optimum.intercept_[0], positive, negative, config)
    assert loss(result.weights[0], result.biases[0], positive, negative, config) < 1.01 * lowest
    assert len(sizes) > 2
    assert max(sizes) < len(negative) / 2


def test_classes_are_independent_and_results_repeat() -> None:
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


def test_features_may_be_a_memmap(tmp_path: Path) -> None:
    photos = scattered(5, 2)
    file = np.memmap(tmp_path / "features", dtype=np.float32, mode="w+", shape=(5, 60, 8))
    file[:] = np.stack([p.features for p in photos])
    mapped = trained([replace(p, features=file[i]) for i, p in enumerate(photos)], "ab")
    np.testing.assert_array_equal(mapped.weights, trained(photos, "ab").weights)
    assert type(mapped.weights) is type(mapped.margins(file[0])) is np.ndarray


# ---------------------------------------------------------------- classes without examples


def test_a_class_without_objects_is_never_detected_and_noted() -> None:
    photos = scattered(3, 2)
    photos = [replace(p, overlaps=np.pad(p.overlaps, ((0, 0), (0, 1)))) for p in photos]
    result = trained(photos, "abc")
    assert (result.margins(photos[0].features)[:, 2] <= -1e4).all()
    assert result.notes == ("'c' has no labeled box in the training photos and will never be detected",)
    np.testing.assert_array_equal(result.weights[:2], trained(photos, "ab").weights)


def test_a_class_without_negatives_is_always_detected_and_noted() -> None:
    result = trained([make_examples([[1], [2]], [[1], [0.4]], [0, -1])], "a")
    np.testing.assert_array_equal(result.margins(np.float32([[-9], [9]])), [[1], [1]])
    assert len(result.notes) == 1
    assert result.notes[0] == "no negative regions found for 'a': every region is detected as one"


def test_one_example_is_enough() -> None:
    photo = make_examples([[1, 0], [0, 1], [0, -1], [-1, 0]], [[1], [0], [0], [0]], [0, -1, -1, -1])
    result = trained([photo], "a")
    margins = result.margins(photo.features)[:, 0]
    assert margins[0] > margins[1:].max()
    assert result.notes == ()


@pytest.mark.filterwarnings("always::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_that_did_not_converge_is_noted() -> None:
    with pytest.warns(ConvergenceWarning):
        result = trained(scattered(4, 1), "a", SVMConfig(C=10.0, max_iterations=1))
    assert result.notes == ("the SVM of 'a' did not converge in 1 iterations; its scores may be inaccurate",)


# ---------------------------------------------------------------- margins, progress, stopping


def test_margins_scale_the_features_first() -> None:
    result = SVMs(np.float32([[1, 2], [0, -1]]), np.float32([0.5, 0]), scale=10.0)
    np.testing.assert_array_equal(result.margins(np.float32([[1, 1], [0, 3]])), [[30.5, -10], [60.5, -30]])


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([0.125, 0.5, 2.0, 64.0]))
def test_the_scale_of_the_features_does_not_matter(factor: float) -> None:
    photos = scattered(4, 1)
    large = [replace(p, features=p.features * np.float32(factor)) for p in photos]
    ours, theirs = trained(photos, "a"), trained(large, "a")
    np.testing.assert_array_equal(
        ours.margins(photos[0].features), theirs.margins(large[0].features)
    )  # powers of two


def test_progress_counts_photos() -> None:
    photos, calls = scattered(3, 1), []
    train_svms(lambda i: photos[i], 3, ["a"], PAPER, progress=lambda *step: calls.append(step))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("calls", [0, 1, 3, 5, 7])
def test_training_stops_where_examples_are_read(calls: int) -> None:
    photos, answers = scattered(3, 1), [False] * calls + [True]

    def examples(photo: int) -> SVMExamples:
        if answers.pop(0):
            raise InterruptedError
        return photos[photo]

    with pytest.raises(InterruptedError):
        train_svms(examples, 3, ["a"], PAPER)
    assert not answers


def test_a_fit_is_the_same_in_the_background_and_stops_when_the_check_raises() -> None:
    photos = scattered(3, 1)
    expected = train_svms(lambda i: photos[i], 3, ["a"], PAPER)
    checked = train_svms(lambda i: photos[i], 3, ["a"], PAPER, check=lambda: None)
    assert np.array_equal(checked.weights, expected.weights)

    def check() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train_svms(lambda i: photos[i], 3, ["a"], PAPER, check=check)


def test_mining_ends_with_its_minutes() -> None:
    """One photo is searched in any case, so that every class is trained."""
    photos = scattered(6, 2)
    late = trained(photos, "ab", replace(PAPER, mining_minutes=1e-9))
    assert late.notes[0] == "for lack of time, hard negatives are from 1 of 6 photos"
    assert (late.weights != 0).any(axis=1).all()
    assert trained(photos, "ab", replace(PAPER, mining_minutes=60.0)).notes == trained(photos, "ab").notes

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.linear_model import Ridge

from boxmask.errors import TrainingError
from boxmask.geometry.boxes import decode, iou
from boxmask.training.rcnn import box_regressors
from boxmask.training.rcnn.box_regressors import (
    BoxRegressorConfig,
    BoxRegressors,
    RegressionExamples,
    fit_ridge,
    train_box_regressors,
)

PAPER = BoxRegressorConfig()
OBJECT = [0.0, 0.0, 10.0, 10.0]


def photo(features: object, boxes: object, objects: object, labels: object) -> RegressionExamples:
    return RegressionExamples(
        np.array(features, dtype=np.float32),
        np.array(boxes, dtype=np.float32).reshape(-1, 4),
        np.array(objects, dtype=np.float32).reshape(-1, 4),
        np.array(labels, dtype=np.int64),
    )


def fitted(
    photos: Sequence[RegressionExamples], names: str, config: BoxRegressorConfig = PAPER
) -> BoxRegressors:
    """The regressors of classes named by the letters of `names`."""
    regressors = train_box_regressors(lambda i: photos[i], len(photos), list(names), config)
    assert regressors is not None
    return regressors


def shifted(num_photos: int, seed: int = 0) -> list[RegressionExamples]:
    """Photos with one object, of class 0 or 1, and 40 regions whose features are their offsets."""
    generator, photos = np.random.default_rng(seed), []
    for i in range(num_photos):
        corner, side = generator.uniform(0, 100, 2), generator.uniform(20, 60, 2)
        moves = generator.uniform(-0.12, 0.12, (40, 4))
        target = np.concatenate([corner, corner + side])
        boxes = target + moves * np.tile(side, 2)
        features = np.concatenate([moves, np.abs(moves), np.full((40, 1), 0.1)], axis=1)
        photos.append(photo(features, boxes, target, [i % 2]))
    return photos


def mean_iou(boxes: np.ndarray, objects: np.ndarray) -> float:
    return float(iou(torch.tensor(boxes), torch.tensor(objects)).mean())


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float], np.ndarray]]:
    """Features (one each) and targets of every fit, which learns nothing."""
    fits: list[tuple[list[float], np.ndarray]] = []

    def fit(features: np.ndarray, deltas: np.ndarray, _: object) -> tuple[np.ndarray, np.ndarray]:
        fits.append((features[:, 0].tolist(), deltas))
        return np.zeros((4, 1), dtype=np.float32), np.zeros(4, dtype=np.float32)

    monkeypatch.setattr(box_regressors, "fit_ridge", fit)
    monkeypatch.setattr(box_regressors, "feature_scale", lambda *_: 2.0)
    return fits


# ---------------------------------------------------------------- pairs


def test_pairs_computed_by_hand(seen: list[tuple[list[float], np.ndarray]]) -> None:
    right = [6.0, 0.0, 16.0, 10.0]  # a second object, of class b
    boxes = [
        OBJECT,  # 1: the object itself
        [0, 0, 10, 6],  # 2: IoU 0.6, which is not above
        [0, 0, 10, 8],  # 3: IoU 0.8 with a
        [5, 0, 15, 10],  # 4: IoU 1/3 with a and 9/11 with b: paired with b
        [30, 30, 40, 40],  # 5: background
        [2, 0, 12, 10],  # 6: IoU 2/3 with a, 3/7 with b
    ]
    config = BoxRegressorConfig(min_pairs=1)
    first = photo([[1], [2], [3], [4], [5], [6]], boxes, [OBJECT, right], [0, 1])
    second = photo([[7]], [[0, 0, 10, 20]], [0, 0, 10, 16], [0])  # IoU 0.8
    assert fitted([first, second], "ab", config).notes == ()
    (a, deltas_of_a), (b, deltas_of_b) = seen
    assert (a, b) == ([2, 6, 12, 14], [8])  # features are scaled
    expected = [[0, 0, 0, 0], [0, 1 / 8, 0, np.log(10 / 8)], [-0.2, 0, 0, 0], [0, -0.1, 0, np.log(0.8)]]
    np.testing.assert_allclose(deltas_of_a, expected, atol=1e-6)
    np.testing.assert_allclose(deltas_of_b, [[0.1, 0, 0, 0]], atol=1e-6)


def test_photos_without_objects_or_regions_give_no_pairs(
    seen: list[tuple[list[float], np.ndarray]],
) -> None:
    nothing = [photo([[1]], OBJECT, [], []), photo(np.zeros((0, 1)), [], OBJECT, [0])]
    result = fitted([*nothing, photo([[3]] * 5, [OBJECT] * 5, OBJECT, [0]), *nothing], "a")
    assert [features for features, _ in seen] == [[6] * 5]
    assert result.notes == ()


@pytest.mark.parametrize("pairs", [0, 1, 4])
def test_with_too_few_pairs_boxes_do_not_move_and_a_note_says_so(pairs: int) -> None:
    photos = [photo([[9, 9]] * pairs + [[1, 2]], [[0, 0, 8, 10]] * pairs + [[50, 50, 60, 60]], OBJECT, [0])]
    result = fitted(photos, "a")
    assert not result.deltas(np.float32([[3, 4]])).any()
    assert result.notes == (
        f"too few examples ({pairs}) for box regression of 'a': its boxes are not refined",
    )


def test_the_pairs_of_a_class_are_sampled_from_all_photos(
    seen: list[tuple[list[float], np.ndarray]],
) -> None:
    photos = [photo([[100 * i + j] for j in range(50)], [OBJECT] * 50, OBJECT, [0]) for i in range(4)]
    draws = [fitted(photos, "a", BoxRegressorConfig(max_pairs=60, seed=s)) for s in (0, 0, 1)]
    assert draws[0].notes == ("box regression of 'a' uses a random sample of 60 of 200 examples",)
    (first, _), (again, _), (other, _) = seen
    assert first == again != other
    assert len(set(first)) == 60
    assert {int(feature / 2) // 100 for feature in first} == {0, 1, 2, 3}


def test_features_and_targets_are_sampled_together() -> None:
    photos = shifted(20)
    few = fitted(photos, "ab", BoxRegressorConfig(max_pairs=100, ridge=1.0))
    all_pairs = fitted(photos, "ab", BoxRegressorConfig(ridge=1.0))
    assert len(few.notes) == 2
    np.testing.assert_allclose(
        few.deltas(photos[0].features), all_pairs.deltas(photos[0].features), atol=0.02
    )


# ---------------------------------------------------------------- the fit


def test_whitening_the_targets_as_the_authors_did_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 7))
    deltas = (
        features[:, :4] @ generator.normal(size=(4, 4)) * 0.1 + generator.normal(size=(60, 4)) * 0.1 + 0.3
    )
    weights, biases = fit_ridge(features.astype(np.float32), deltas.astype(np.float32), 10.0)

    covariance = np.cov(deltas, rowvar=False, bias=True) + 0.001 * np.eye(4)
    whiten = np.linalg.inv(sqrtm(covariance).real)
    ridge = Ridge(alpha=10).fit(features, (deltas - deltas.mean(axis=0)) @ whiten)
    expected = ridge.predict(features) @ np.linalg.inv(whiten) + deltas.mean(axis=0)
    np.testing.assert_allclose(features @ weights.T + biases, expected, atol=1e-5)


def test_the_fit_solves_the_normal_equations() -> None:
    # one feature, targets that are uncorrelated: each is shrunk by sum(f^2) / (sum(f^2) + lambda)
    features = np.float32([[-1], [1], [-1], [1]])
    deltas = np.float32([[0, 1, 2, 3]] * 4) + np.float32([-0.5, 0.5, -0.5, 0.5])[:, None] * [1, 0, 0, 0]
    weights, biases = fit_ridge(features, deltas.astype(np.float32), 12.0)
    np.testing.assert_allclose(weights, [[0.5 * 4 / (4 + 12)], [0], [0], [0]], atol=1e-6)
    np.testing.assert_allclose(biases, [0, 1, 2, 3], atol=1e-6)


def test_equal_targets_become_the_bias() -> None:
    features = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    weights, biases = fit_ridge(features, np.float32([[0.1, -0.2, 0.3, 0]] * 6), 1000.0)
    np.testing.assert_allclose(weights, 0, atol=1e-9)
    np.testing.assert_allclose(biases, [0.1, -0.2, 0.3, 0], atol=1e-7)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 100))
def test_targets_linear_in_the_features_are_found(seed: int) -> None:
    generator = np.random.default_rng(seed)
    features, truth = generator.normal(size=(50, 3)), generator.normal(size=(4, 3))
    deltas = (features @ truth.T + [1, 2, 3, 4]).astype(np.float32)
    weights, biases = fit_ridge(features.astype(np.float32), deltas, 1e-6)
    np.testing.assert_allclose(weights, truth, atol=1e-4)
    np.testing.assert_allclose(biases, [1, 2, 3, 4], atol=1e-4)


def test_there_may_be_more_features_than_pairs() -> None:
    generator = np.random.default_rng(0)
    features, deltas = generator.normal(size=(10, 200)), generator.normal(size=(10, 4)).astype(np.float32)
    weights, biases = fit_ridge(features.astype(np.float32), deltas, 1e-3)
    np.testing.assert_allclose(features @ weights.T + biases, deltas, atol=1e-3)


# ---------------------------------------------------------------- all classes


def test_regressors_move_regions_onto_their_objects() -> None:
    photos = shifted(40)
    result = fitted(photos[:30], "ab")
    for held_out in photos[30:]:
        label = held_out.labels[0]
        deltas = torch.from_numpy(result.deltas(held_out.features)[:, label])
        moved = decode(torch.from_numpy(held_out.boxes), deltas).numpy()
        assert mean_iou(moved, held_out.objects) > mean_iou(held_out.boxes, held_out.objects) + 0.05


def test_classes_are_independent_and_results_repeat() -> None:
    photos = shifted(8)
    both, again = fitted(photos, "ab"), fitted(photos, "ab")
    np.testing.assert_array_equal(both.weights, again.weights)
    np.testing.assert_array_equal(both.biases, again.biases)
    same_scale = [replace(p, labels=p.labels + (p.labels == 1)) for p in photos]  # b becomes c
    three = fitted(same_scale, "abc")
    np.testing.assert_array_equal(three.weights[[0, 2]], both.weights)
    assert not three.weights[1].any()


@settings(deadline=None, max_examples=10)
@given(st.sampled_from([0.125, 0.5, 2.0, 64.0]))
def test_the_scale_of_the_features_does_not_matter(factor: float) -> None:
    photos = shifted(4)
    large = [replace(p, features=p.features * np.float32(factor)) for p in photos]
    ours, theirs = fitted(photos, "ab"), fitted(large, "ab")
    np.testing.assert_allclose(ours.weights, theirs.weights * factor, rtol=1e-5)
    np.testing.assert_allclose(ours.deltas(photos[0].features), theirs.deltas(large[0].features), rtol=1e-4)


def test_deltas_of_every_class_by_hand() -> None:
    weights = np.arange(16, dtype=np.float32).reshape(2, 4, 2)
    result = BoxRegressors(weights, np.float32([[0, 0, 0, 0], [1, 1, 1, 1]]))
    deltas = result.deltas(np.float32([[1, 0], [1, 1]]))
    assert deltas.tolist() == [[[0, 2, 4, 6], [9, 11, 13, 15]], [[1, 5, 9, 13], [18, 22, 26, 30]]]


def test_features_may_be_a_memmap(tmp_path: Path) -> None:
    photos = shifted(4)
    file = np.memmap(tmp_path / "features", dtype=np.float32, mode="w+", shape=(4, 40, 9))
    file[:] = np.stack([p.features for p in photos])
    mapped = fitted([replace(p, features=file[i]) for i, p in enumerate(photos)], "ab")
    np.testing.assert_array_equal(mapped.weights, fitted(photos, "ab").weights)
    np.testing.assert_array_equal(file, np.stack([p.features for p in photos]))  # unchanged


def test_features_without_a_norm_are_refused() -> None:
    with pytest.raises(TrainingError, match="mean norm of 0"):
        fitted([photo([[0, 0]], OBJECT, OBJECT, [0])], "a")


def test_progress_counts_classes() -> None:
    photos, calls = shifted(4), []
    train_box_regressors(lambda i: photos[i], 4, "ab", PAPER, progress=lambda *step: calls.append(step))
    assert calls == [(1, 2), (2, 2)]


def test_a_fit_is_the_same_in_the_background_and_stops_when_the_check_raises() -> None:
    photos = shifted(4)
    expected = train_box_regressors(lambda i: photos[i], 4, "ab", PAPER)
    checked = train_box_regressors(lambda i: photos[i], 4, "ab", PAPER, check=lambda: None)
    assert np.array_equal(checked.weights, expected.weights)

    def check() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train_box_regressors(lambda i: photos[i], 4, "ab", PAPER, check=check)

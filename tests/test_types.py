"""What crosses rooms is checked at birth."""

import numpy as np
import pytest
import torch
from torch import Tensor

from boxmask.masks import Masks
from boxmask.types import Classification, ClassificationTarget, Detections, Target

BOXES = torch.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 5.0, 6.0, 7.0]])
LABELS = torch.tensor([1, 0])
KEPT = torch.zeros(2, dtype=torch.bool)


def detections(scores: Tensor | None = None, labels: Tensor = LABELS) -> Detections:
    found = torch.tensor([0.9, 0.4]) if scores is None else scores
    return Detections(BOXES, found, labels, ("cat", "dog"), (30, 40))


def test_a_target_of_lists() -> None:
    target = Target.of([[0, 0, 10, 20], [5, 5, 6, 7]], [1, 0], [False, True])
    assert torch.equal(target.boxes, BOXES)
    assert target.boxes.dtype == torch.float32
    assert target.labels.tolist() == [1, 0]
    assert target.ignore.tolist() == [False, True]
    assert target.masks is None


def test_a_target_of_nothing() -> None:
    target = Target.of([], [])
    assert target.boxes.shape == (0, 4)
    assert target.labels.dtype == torch.int64
    assert target.ignore.dtype == torch.bool


@pytest.mark.parametrize(
    ("boxes", "labels", "ignore", "says"),
    [
        (BOXES.double(), LABELS, KEPT, r"boxes: expected torch.float32 \(any, 4\), found torch.float64"),
        (BOXES[:, :3], LABELS, KEPT, r"boxes: .*found torch.float32 \(2, 3\)"),
        (BOXES, LABELS[:1], KEPT, r"labels: expected torch.int64 \(2\), found torch.int64 \(1,\)"),
        (BOXES, LABELS.int(), KEPT, r"labels: .*found torch.int32"),
        (BOXES, LABELS, KEPT.int(), r"ignore: expected torch.bool"),
        (BOXES[:, [2, 1, 0, 3]], LABELS, KEPT, r"x2 > x1 and y2 > y1, found \[\[10.0, 0.0, 0.0, 20.0\]"),
        (BOXES * torch.tensor([1, 1, 1, 0]), LABELS, KEPT, r"x2 > x1 and y2 > y1"),
        (BOXES * torch.nan, LABELS, KEPT, r"x2 > x1 and y2 > y1, found \[\[nan"),
    ],
)
def test_a_target_that_cannot_be(boxes: Tensor, labels: Tensor, ignore: Tensor, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Target(boxes, labels, ignore)


def test_masks_are_one_an_object() -> None:
    assert Target(BOXES, LABELS, KEPT, Masks.unknown(2, (30, 40))).masks is not None
    with pytest.raises(ValueError, match="masks: expected 2, found 1"):
        Target(BOXES, LABELS, KEPT, Masks.unknown(1, (30, 40)))


def test_a_target_moves_with_all_it_has() -> None:
    masks = Masks.from_dense(np.ones((2, 3, 4), dtype=bool))
    target = Target(BOXES, LABELS, KEPT, masks).to("cpu")
    assert torch.equal(target.boxes, BOXES)
    assert target.masks is not None
    assert np.array_equal(target.masks.dense(), masks.dense())


def test_detections_know_their_names() -> None:
    assert detections().names == ["dog", "cat"]
    assert len(detections()) == 2


def test_above_a_score() -> None:
    kept = detections().above(0.5)
    assert kept.names == ["dog"]
    assert kept.boxes.tolist() == [[0, 0, 10, 20]]
    assert len(detections().above(0.9)) == len(kept) == 1  # at least, in float32's 0.9
    assert len(detections().above(1.0)) == 0


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        (torch.tensor([0.9]), LABELS, "scores: expected"),
        (torch.tensor([0.9, 0.4], dtype=torch.float64), LABELS, "scores: expected torch.float32"),
        (torch.tensor([0.9, 0.4]), torch.tensor([0, 2]), r"labels: expected 0..1, found \(0, 2\)"),
        (torch.tensor([0.9, 0.4]), torch.tensor([-1, 0]), r"labels: expected 0..1, found \(-1, 0\)"),
    ],
)
def test_detections_that_cannot_be(scores: Tensor, labels: Tensor, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        detections(scores, labels)


def test_to_supervision() -> None:
    converted = detections().to_supervision()
    assert np.array_equal(converted.xyxy, BOXES.numpy())
    assert converted.class_id is not None
    assert converted.class_id.tolist() == [1, 0]
    assert converted.confidence is not None
    np.testing.assert_allclose(converted.confidence, [0.9, 0.4], rtol=1e-6)
    assert list(converted.data["class_name"]) == ["dog", "cat"]


def test_nothing_found_to_supervision() -> None:
    assert len(detections().above(1.0).to_supervision()) == 0


# ---------------------------------------------------------------- whole photos


def test_a_class_target_is_no_negative_number() -> None:
    assert ClassificationTarget(0).label == 0
    with pytest.raises(ValueError, match="label: expected 0 or more, found -1"):
        ClassificationTarget(-1)


def test_a_classification_ranks_its_classes() -> None:
    found = Classification(torch.tensor([0.2, 0.5, 0.3]), ("a", "b", "c"))
    assert (found.label, found.name, found.score) == (1, "b", 0.5)
    assert [name for name, _ in found.top(2)] == ["b", "c"]
    assert [name for name, _ in found.top(9)] == ["b", "c", "a"]
    assert found.top(0) == found.top(-1) == []


def test_equal_scores_keep_the_order_of_the_classes() -> None:
    names = tuple(f"class {number}" for number in range(40))
    found = Classification(torch.full((40,), 1 / 40), names)
    assert found.name == "class 0"
    assert [name for name, _ in found.top(40)] == list(names)


@pytest.mark.parametrize(
    ("scores", "names"),
    [
        ([0.5, 0.5], ("a",)),
        ([0.5, 0.4], ("a", "b")),
        ([1.5, -0.5], ("a", "b")),
        ([float("nan"), 1.0], ("a", "b")),
        ([], ()),
    ],
)
def test_a_classification_that_cannot_be(scores: list[float], names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Classification(torch.tensor(scores), names)

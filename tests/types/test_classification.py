from __future__ import annotations

import numpy as np
import pytest
import torch

from boxmask.types import Classification


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


def test_it_reads_as_one_line() -> None:
    found = Classification(torch.tensor([0.2, 0.5, 0.3]), ("a", "b", "c"))
    assert repr(found) == "Classification(b 0.50, c 0.30, a 0.20)"


def test_equality_by_value() -> None:
    scores = torch.tensor([0.2, 0.8])
    assert Classification(scores, ("a", "b")) == Classification(scores.clone(), ("a", "b"), "photo.jpg")
    assert Classification(scores, ("a", "b")) != Classification(scores, ("a", "c"))


def test_the_scores_are_an_array_and_a_tensor_becomes_one() -> None:
    found = Classification(torch.tensor([0.2, 0.8]), ("a", "b"))
    assert isinstance(found.scores, np.ndarray)
    assert found == Classification(np.array([0.2, 0.8], dtype=np.float32), ("a", "b"))

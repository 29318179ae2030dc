"""Classes that a model knows, by name."""

from __future__ import annotations

from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.doctor.model.known_classes import labels_of_model
from boxmask.evaluation.suspicions.photo_comparison import UNKNOWN


def test_classes_are_matched_by_name() -> None:
    labels = labels_of_model(("dog", "cat ", "cow"), ALL_CLASSES, ("cat", "dog"))
    assert labels.tolist() == [1, 0, UNKNOWN]


def test_renamed_and_left_out_classes_of_the_training() -> None:
    selection = ClassSelection(("pet",), ("dog=pet", "cat=pet", "absent=pet"), strict=False)
    assert labels_of_model(("dog", "cow", "cat"), selection, ("pet",)).tolist() == [0, UNKNOWN, 0]


def test_no_class_is_known() -> None:
    selection = ClassSelection(("cat",), strict=False)
    assert labels_of_model(("dog",), selection, ("cat",)).tolist() == [UNKNOWN]

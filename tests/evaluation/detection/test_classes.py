from dataclasses import replace

import numpy as np
import pytest

from boxmask.data.detection.rle_masks import RleMasks
from boxmask.errors import LabelError
from boxmask.evaluation.detection.classes import extra_classes_note, keep_known_classes, with_class_names
from boxmask.geometry import rle
from boxmask.masks import Masks

A, B = (10, 10, 30, 30), (50, 50, 90, 90)


def test_labels_follow_the_names(detected):
    found = detected(("cat", 0.9, A), ("dog", 0.8, B))
    swapped = with_class_names(found, ("dog", "cat"))
    assert swapped.class_names == ("dog", "cat")
    assert swapped.names == ["cat", "dog"]
    assert swapped.labels.tolist() == [1, 0]


def test_extra_classes_are_left_out_and_noted(detected):
    found = detected(("cat", 0.9, A), ("dog", 0.8, B), ("dog", 0.7, A))
    only = with_class_names(found, ("owl", "cat"))
    assert only.names == ["cat"]
    assert only.boxes.tolist() == [list(A)]
    assert extra_classes_note([found, found], ("owl", "cat")) == (
        '4 detections of classes that the data set does not have are left out: "dog".',
    )
    assert extra_classes_note([found], ("cat", "dog")) == ()


def test_unseen_class_is_an_error(labeled):
    dataset = labeled([("cat", A)], [("dog", B)])
    with pytest.raises(LabelError) as error:
        keep_known_classes(dataset, ("cat", "owl"))
    assert '"dog": 1 object in 1.jpg' in str(error.value)
    assert 'It knows "cat", "owl".' in str(error.value)
    assert '--on-unseen-classes skip (in Python: on_unseen_classes="skip")' in str(error.value)


def test_unseen_class_without_objects_is_ignored(labeled):
    dataset = labeled([("cat", A)])
    assert keep_known_classes(dataset, ("cat",)) == (dataset, ())


def test_unseen_classes_can_be_skipped(labeled):
    dataset = labeled([("dog", B), ("cat", A)], [("dog", B)], [("cat", B, "difficult")])
    rest, notes = keep_known_classes(dataset, ("cat",), "skip")
    assert rest.class_names == ("cat",)
    assert rest.offsets.tolist() == [0, 1, 1, 2]
    assert rest.boxes.tolist() == [list(A), list(B)]
    assert rest.labels.tolist() == [0, 0]
    assert rest.difficult.tolist() == [False, True]
    assert notes == (
        "classes that the model does not know are left out of the metrics:\n"
        '  "dog": 2 objects in 0.jpg, 1.jpg',
    )


def test_masks_stay_with_the_objects_that_are_left(labeled):
    boxed = labeled([("dog", B), ("cat", A)], [("dog", B)], [("cat", B)])
    boxes = [tuple(map(int, box)) for box in boxed.boxes]
    squares = [
        Masks.from_crops([np.ones((y2 - y1, x2 - x1), bool)], [(x1, y1)], (100, 100))
        for x1, y1, x2, y2 in boxes
    ]
    rle_masks = RleMasks.from_run_lengths([rle.encode(square)[0] for square in squares])
    dataset = replace(boxed, runs=rle_masks.runs, run_offsets=rle_masks.offsets)
    rest, _ = keep_known_classes(dataset, ("cat",), "skip")
    assert rest.masks(0).boxes().tolist() == [list(A)]
    assert len(rest.masks(1)) == 0
    assert rest.masks(2).boxes().tolist() == [list(B)]

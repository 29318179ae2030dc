"""Classes that training, or a trained model, has never seen stop or are noted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from boxmask.data.class_checks import check_model_classes, check_training_classes
from boxmask.data.detection.dataset import DetectionDataset
from boxmask.errors import LabelError

Make = Callable[..., DetectionDataset]


def test_a_class_without_training_photos_stops_or_is_noted(dataset_of: Make) -> None:
    dataset = dataset_of([[0], [0, 1], [1, 1]], ["train", "val", "test"], num_classes=3)
    with pytest.raises(LabelError) as raised:
        check_training_classes(dataset)
    assert 'photos (1):\n  "class1": 3 objects in p001.jpg, p002.jpg\n' in str(raised.value)
    assert "--on-unseen-classes skip (in Python: " in str(raised.value)
    assert "class2" not in str(raised.value)
    notes = check_training_classes(dataset, on_unseen_classes="skip")
    assert notes == ('classes without training photos:\n  "class1": 3 objects in p001.jpg, p002.jpg',)


def test_crowd_and_difficult_objects_do_not_count(dataset_of: Make) -> None:
    dataset = dataset_of([[0], [0, 1]], ["train", "test"])
    assert check_training_classes(replace(dataset, difficult=np.array([False, False, True]))) == ()
    only_crowd_in_train = replace(dataset, crowd=np.array([True, False, False]))
    with pytest.raises(LabelError, match=r'"class0": 1 object in p001\.jpg'):
        check_training_classes(only_crowd_in_train)


def test_nothing_to_train_on(dataset_of: Make) -> None:
    with pytest.raises(LabelError, match="none of its 1 photos is in the train split"):
        check_training_classes(dataset_of([[0]], ["test"]), on_unseen_classes="skip")


def test_a_class_that_the_model_does_not_know_stops_or_is_noted(dataset_of: Make) -> None:
    dataset = dataset_of([[0], [1, 1], [1], [1], [1]], num_classes=3)
    with pytest.raises(LabelError) as raised:
        check_model_classes(dataset, ("class0", "owl"))
    assert str(raised.value).startswith(
        "photos: classes that the model does not know (1):\n"
        '  "class1": 5 objects in p001.jpg, p002.jpg, p003.jpg, ...\n'
        'It knows "class0", "owl". '
    )
    assert '--on-unseen-classes skip (in Python: on_unseen_classes="skip")' in str(raised.value)
    unseen, (note,) = check_model_classes(dataset, ("class0",), "skip")
    assert unseen == ("class1",)
    assert note.startswith("classes that the model does not know are left out of the metrics:\n  ")
    assert check_model_classes(dataset, ("class1", "class0")) == ((), ())


def test_unicode_forms_of_a_class_are_one_class(dataset_of: Make) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    dataset = replace(dataset_of([[0]]), class_names=(composed,))
    assert check_model_classes(dataset, (decomposed,)) == ((), ())

"""All forms are compared with PyTorch on the same photos."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from boxmask.certificate.certificate import compare_forms
from boxmask.certificate.forms import Form
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.types import Classification, Detections

NAMES = ("cat", "dog")


class Detector:
    """Finds so many objects in every photo."""

    config = SimpleNamespace(class_names=NAMES, score_threshold=0.05, detections_per_image=100)

    def __init__(self, number: int) -> None:
        self._number = number

    def predict(self, photo: Any, proposals: Any = None) -> Detections:
        boxes = np.tile(np.array([0, 0, 4, 4], dtype=np.float32), (self._number, 1))
        scores = np.full(self._number, 0.9, dtype=np.float32)
        return Detections(boxes, scores, np.zeros(self._number, dtype=np.int64), NAMES, (8, 8))


class Classifier:
    """Gives every photo the same scores."""

    config = SimpleNamespace(class_names=NAMES)

    def predict(self, photo: Any, proposals: Any = None) -> Classification:
        return Classification(np.array([0.9, 0.1], dtype=np.float32), NAMES)


def photos() -> list[NamedPhoto]:
    """A blank photo, and one that is not."""
    blank = np.full((8, 8, 3), 128, dtype=np.uint8)
    other = blank.copy()
    other[0, 0] = 0
    return [NamedPhoto("blank", blank), NamedPhoto("other", other)]


@pytest.mark.parametrize("is_int8", [False, True])
def test_objects_found_in_a_blank_photo_may_differ(is_int8: bool) -> None:
    forms = [Form("PyTorch", Detector(2)), Form("file", Detector(1), is_int8=is_int8)]
    compared, differences = compare_forms(forms, photos())
    assert len(compared) == 2
    assert (differences["file"].compared, differences["file"].mismatches) == (2, 1)


def test_blank_photos_count_for_classifiers() -> None:
    _, differences = compare_forms([Form("PyTorch", Classifier()), Form("file", Classifier())], photos())
    assert differences["file"].compared == 2

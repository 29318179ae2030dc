"""A comparison that compares nothing is not passed in silence."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from boxmask.errors import ExportError
from boxmask.exporting.parity import check
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto
from boxmask.types import Detections

PHOTOS = [NamedPhoto("a.jpg", np.zeros((4, 6, 3), dtype=np.uint8))]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_a_difference(value: float) -> None:
    good = {"scores": np.zeros((1, 2), dtype=np.float32), "label_map": np.zeros((1, 4, 6), dtype=np.uint8)}
    check.check_finite(good, PHOTOS)
    with pytest.raises(ExportError, match=r"gives NaN or infinite scores \(photos: a\.jpg\)"):
        check.check_finite(good | {"scores": np.array([[0.5, value]], dtype=np.float32)}, PHOTOS)


def test_a_batch_with_such_values_is_refused() -> None:
    class Session:
        needs_proposals = False

        def run(self, photos: list[np.ndarray]) -> dict[str, np.ndarray]:
            return {"scores": np.full((len(photos), 2), np.nan, dtype=np.float32)}

    class Model:
        def predict(self, images: list[object]) -> list[object]:
            return [None] * len(images)

    Model.predict.__wrapped__ = Model.predict  # type: ignore[attr-defined]
    with pytest.raises(ExportError, match="NaN or infinite scores"):
        check.compare_batch(Session(), Model(), PHOTOS)  # type: ignore[arg-type]


@pytest.mark.parametrize("color", [0, 128])
def test_objects_found_in_a_blank_photo_may_differ(color: int) -> None:
    """Many anchors have the same score there: rounding decides which of them become objects."""

    class Session:
        needs_proposals = False

        def run(self, photos: list[np.ndarray]) -> dict[str, np.ndarray]:
            boxes = np.array([[0, 0, 4, 4]], dtype=np.float32)
            return {
                "boxes": boxes,
                "scores": np.array([0.5], dtype=np.float32),
                "labels": np.zeros(1, dtype=np.int64),
                "counts": np.ones(1, dtype=np.int64),
            }

    class Model:
        config = SimpleNamespace(score_threshold=0.05, detections_per_image=100)

        def predict(self, images: list[object]) -> list[Detections]:
            empty = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
            return [Detections(*empty, class_names=("cell",), size=(8, 8)) for _ in images]

    Model.predict.__wrapped__ = Model.predict  # type: ignore[attr-defined]
    pixels = np.full((8, 8, 3), color, dtype=np.uint8)
    found = check.compare_batch(Session(), Model(), [NamedPhoto("blank", pixels)])  # type: ignore[arg-type]
    assert (found.compared, found.mismatches) == (0, 0)
    pixels[0, 0, 0] = color + 1
    found = check.compare_batch(Session(), Model(), [NamedPhoto("a.jpg", pixels)])  # type: ignore[arg-type]
    assert found.mismatches == 1


@pytest.mark.parametrize("found", [0, 3])
def test_a_comparison_without_objects_says_so(found: int) -> None:
    rows = (("1 photo, one at a time", Differences(found)), ("1 photo, 4 at a time", Differences()))
    notes = check.Parity("generated photos", rows).notes
    if found:
        assert notes == ()
    else:
        assert notes == (
            "the model finds no objects in the generated photos, so no object was compared. "
            "Give photos with objects: --data PHOTOS.",
        )

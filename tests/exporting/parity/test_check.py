"""A comparison that compares nothing is not passed in silence."""

from __future__ import annotations

import numpy as np
import pytest

from boxmask.errors import ExportError
from boxmask.exporting.parity import check
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto

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

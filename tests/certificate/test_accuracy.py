"""The accuracy of each form, on the same photos."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from boxmask.certificate.accuracy import LabeledPhotos, find_labeled_photos, measure_accuracy
from boxmask.certificate.forms import Form
from boxmask.exporting.int8.accuracy import Measure


@pytest.mark.parametrize("source", ["torchvision/ssdlite320_mobilenet_v3_large", "checkpoint.safetensors"])
def test_a_model_whose_training_data_is_not_known(source: str, tmp_path: Path) -> None:
    model: Any = None
    path = Path(source) if source.startswith("torchvision") else tmp_path / source
    found = find_labeled_photos(path, model, None)
    assert found == "The training data is not known. Give labeled photos with --data DATA."


def test_changes_are_paired() -> None:
    """Each photo is right or wrong; the second form is wrong in one more photo."""
    hits = {"first": np.array([1, 1, 1, 0]), "second": np.array([1, 1, 0, 0])}

    def predict(form: Any, progress: Any) -> Any:
        progress(4, 4)
        return hits[form.name]

    measure = Measure(4, predict, lambda results, weights: {"accuracy": weights @ results / 4})
    forms = [Form(name, SimpleNamespace(name=name)) for name in hits]  # type: ignore[arg-type]
    calls: list[tuple[int, int]] = []
    found = measure_accuracy(LabeledPhotos(measure, "4 photos"), forms, lambda *call: calls.append(call))
    [first], [second] = found["first"], found["second"]
    assert (first.value, first.change, first.change_interval) == (0.75, 0.0, None)
    assert (second.value, second.change) == (0.5, -0.25)
    assert second.change_interval is not None
    assert second.change_interval.low < -0.25 < second.change_interval.high <= 0
    assert calls == [(4, 8), (8, 8)]

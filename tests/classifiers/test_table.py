"""The table of classifiers."""

import json
from dataclasses import asdict, fields, is_dataclass

import pytest

from boxmask.classifiers.contract import Classifier
from boxmask.classifiers.table import CLASSIFIERS

REQUIRED_FIELDS = {"class_names", "backbone", "shorter_side", "longer_side"}  # read by training


@pytest.mark.parametrize("model", CLASSIFIERS)
def test_every_row_is_complete(model: str) -> None:
    row = CLASSIFIERS[model]
    assert is_dataclass(row.config)
    assert {field.name for field in fields(row.config)} >= REQUIRED_FIELDS
    assert row.presets["default"] == {}
    assert isinstance(row.build, type)
    assert issubclass(row.build, Classifier)


@pytest.mark.parametrize(("model", "preset"), [(m, p) for m in CLASSIFIERS for p in CLASSIFIERS[m].presets])
def test_every_preset_is_plain_json(model: str, preset: str) -> None:
    row = CLASSIFIERS[model]
    config = row.config(class_names=("a", "b"), **row.presets[preset])
    values = json.loads(json.dumps(asdict(config)))
    assert set(values) == {field.name for field in fields(row.config)}
    hash(config)  # hashable: tuples, not lists

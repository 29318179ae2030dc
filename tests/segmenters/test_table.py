"""The table of segmenters."""

import json
from dataclasses import asdict, fields, is_dataclass

import pytest

from boxmask.segmenters.contract import Segmenter
from boxmask.segmenters.table import SEGMENTERS

REQUIRED_FIELDS = {  # read by training, prediction and export
    "class_names",
    "backbone",
    "shorter_side",
    "longer_side",
    "antialias",
    "multiple_of",
    "tile",
    "tile_overlap",
    "class_weights",
    "region_loss",
}


@pytest.mark.parametrize("model", SEGMENTERS)
def test_every_row_is_complete(model: str) -> None:
    row = SEGMENTERS[model]
    assert is_dataclass(row.config)
    assert {field.name for field in fields(row.config)} >= REQUIRED_FIELDS
    assert row.presets["default"] == {}
    assert "paper" in row.presets
    assert isinstance(row.build, type)
    assert issubclass(row.build, Segmenter)


@pytest.mark.parametrize(("model", "preset"), [(m, p) for m in SEGMENTERS for p in SEGMENTERS[m].presets])
def test_every_preset_is_plain_json(model: str, preset: str) -> None:
    row = SEGMENTERS[model]
    config = row.config(class_names=("a", "b"), **row.presets[preset])
    values = json.loads(json.dumps(asdict(config)))
    assert set(values) == {field.name for field in fields(row.config)}
    hash(config)  # hashable: tuples, not lists

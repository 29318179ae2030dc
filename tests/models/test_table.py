"""The table of models, by name."""

import json
from dataclasses import asdict, fields, is_dataclass, replace

import pytest

from boxmask.detectors.contract import Detector
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import JOINED, config_from_json, entry, make_config


@pytest.mark.parametrize("model", DETECTORS)
def test_every_row_is_whole(model: str) -> None:
    row = entry(model)
    assert is_dataclass(row.config)
    assert row.presets["default"] == {}
    assert isinstance(row.build, type)
    assert issubclass(row.build, Detector)


@pytest.mark.parametrize(("model", "preset"), [(m, p) for m in DETECTORS for p in DETECTORS[m].presets])
def test_every_preset_survives_json(model: str, preset: str) -> None:
    config = make_config(model, preset, class_names=("a", "b"))
    again = config_from_json(model, json.loads(json.dumps(asdict(config))))
    assert again == config
    assert hash(again) == hash(config)  # tuples all the way down


def test_single_numbers_replace_those_of_the_preset() -> None:
    config = make_config("faster-rcnn", "fpn", class_names=("a",), shorter_side=500)
    assert (config.shorter_side, config.longer_side) == (500, 1333)


def test_names_that_there_are_not() -> None:
    with pytest.raises(UsageError, match=r"model 'yolo' is not known; there are: .*faster-rcnn"):
        entry("yolo")
    with pytest.raises(UsageError, match="faster-rcnn has no preset 'papre'; it has: default, fpn, paper"):
        make_config("faster-rcnn", "papre", class_names=("a",))


def test_json_of_other_fields() -> None:
    values = asdict(make_config("faster-rcnn", "default", class_names=("a",)))
    assert set(values) == {field.name for field in fields(entry("faster-rcnn").config)}
    with pytest.raises(ValueError, match=r"unknown or missing numbers \['pool', 'pools'\]"):
        config_from_json("faster-rcnn", {("pools" if k == "pool" else k): v for k, v in values.items()})


@pytest.mark.parametrize(("model", "joined"), [("faster-rcnn", 2), ("ssd", 1)])
def test_networks_saved_before_a_number_joined_are_still_read(model: str, joined: int) -> None:
    config = make_config(model, "default", class_names=("a",))
    older = {name: value for name, value in asdict(config).items() if name not in JOINED}
    assert len(older) == len(fields(config)) - joined
    expected = replace(config, **{name: JOINED[name] for name in set(asdict(config)) & set(JOINED)})
    assert config_from_json(model, json.loads(json.dumps(older))) == expected

"""The table of models, by name."""

import json
from dataclasses import asdict, fields, is_dataclass

import pytest

from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.table import ADDED_LATER, MODELS, AnyModel, config_from_json, make_config, model_entry
from boxmask.segmenters.table import SEGMENTERS

SHARED_FIELDS = (
    "class_names",
    "backbone",
    "shorter_side",
    "longer_side",
    "multiple_of",
)  # see pipeline/model.py


def test_model_names_are_unique() -> None:
    assert len(MODELS) == len(DETECTORS) + len(SEGMENTERS) + len(CLASSIFIERS)


@pytest.mark.parametrize("model", MODELS)
def test_every_row_has_config_default_preset_and_model(model: str) -> None:
    row = model_entry(model)
    assert is_dataclass(row.config)
    assert row.presets["default"] == {}
    assert isinstance(row.build, type)
    assert issubclass(row.build, AnyModel)


@pytest.mark.parametrize(("model", "preset"), [(m, p) for m in MODELS for p in MODELS[m].presets])
def test_every_preset_survives_json(model: str, preset: str) -> None:
    config = make_config(model, preset, class_names=("a", "b"))
    again = config_from_json(model, json.loads(json.dumps(asdict(config))))
    assert again == config
    assert all(hasattr(config, name) for name in SHARED_FIELDS)
    assert hash(again) == hash(config)  # tuples all the way down


def test_options_replace_those_of_the_preset() -> None:
    config = make_config("faster-rcnn", "fpn", class_names=("a",), shorter_side=500)
    assert (config.shorter_side, config.longer_side) == (500, 1333)


def test_unknown_models_and_presets() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'yolo'; choose from: .*faster-rcnn"):
        model_entry("yolo")
    with pytest.raises(
        UsageError, match="faster-rcnn has no preset 'papre'; choose from: default, fpn, paper"
    ):
        make_config("faster-rcnn", "papre", class_names=("a",))


@pytest.mark.parametrize("model", MODELS)
def test_options_of_presets_have_the_type_of_their_field(model: str) -> None:
    for preset, options in MODELS[model].presets.items():
        again = make_config(model, "default", class_names=("a",), **options)
        assert again == make_config(model, preset, class_names=("a",))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("faster-rcnn", {"nms_iou": "abc"}, "faster-rcnn: nms_iou: expected float, found 'abc'"),
        ("faster-rcnn", {"hidden": 2.5}, "hidden: expected int, found 2.5"),
        ("faster-rcnn", {"hidden": True}, "hidden: expected int, found True"),
        ("faster-rcnn", {"nms_iou": False}, "nms_iou: expected float, found False"),
        ("unet", {"channels": [16, 16, 8, 8]}, r"channels: expected tuple\[int, \.\.\.\], found \[16"),
        ("unet", {"channels": (16, "8")}, "channels: expected tuple"),
        ("unet", {"depthwise": 1}, "depthwise: expected bool, found 1"),
        ("unet", {"norm": 3}, "norm: expected str, found 3"),
        ("fcn", {"hidden": ((16, 3, 1),)}, "hidden: expected tuple"),
        ("fast-rcnn", {"svd_ranks": (3,)}, "svd_ranks: expected .*None, found"),
        ("fast-rcnn", {"search": 3}, "search: expected SelectiveSearchConfig, found 3"),
    ],
)
def test_values_of_the_wrong_type(model: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_config(model, "default", class_names=("a",), **options)


def test_integers_are_accepted_as_floats() -> None:
    assert make_config("faster-rcnn", "default", class_names=("a",), nms_iou=1).nms_iou == 1
    assert make_config("fast-rcnn", "default", class_names=("a",), svd_ranks=(8, 4)).svd_ranks == (8, 4)
    assert make_config("fast-rcnn", "default", class_names=("a",), svd_ranks=None).svd_ranks is None


def test_json_with_other_fields() -> None:
    values = asdict(make_config("faster-rcnn", "default", class_names=("a",)))
    assert set(values) == {field.name for field in fields(model_entry("faster-rcnn").config)}
    with pytest.raises(ValueError, match=r"unknown or missing options \['pool_size', 'pool_sizes'\]"):
        config_from_json(
            "faster-rcnn", {("pool_sizes" if k == "pool_size" else k): v for k, v in values.items()}
        )


def test_configs_of_older_checkpoints_predict_as_before() -> None:
    values = asdict(make_config("mask-rcnn", "default", class_names=("a",)))
    older = {name: value for name, value in values.items() if name not in ADDED_LATER}
    assert len(older) == len(values) - len(ADDED_LATER)
    assert asdict(config_from_json("mask-rcnn", older)) == {**values, **ADDED_LATER}


@pytest.mark.parametrize(
    ("model", "option", "value"),
    [
        ("faster-rcnn", "class_names", 4),
        ("faster-rcnn", "strides", [8, "16"]),
        ("faster-rcnn", "hidden", {"a": 1}),
        ("fast-rcnn", "search", 3),
    ],
)
def test_json_of_the_wrong_type(model: str, option: str, value: object) -> None:
    values = json.loads(json.dumps(asdict(make_config(model, "default", class_names=("a",)))))
    with pytest.raises(ValueError, match=f"{model}: {option}: expected "):
        config_from_json(model, {**values, option: value})


def test_json_of_nested_configs_is_checked() -> None:
    values = json.loads(json.dumps(asdict(make_config("rcnn", "default", class_names=("a",)))))
    search = values["search"]
    with pytest.raises(ValueError, match="rcnn: search: width: expected int, found 'wide'"):
        config_from_json("rcnn", {**values, "search": {**search, "width": "wide"}})
    with pytest.raises(ValueError, match=r"rcnn: search: color_spaces: expected .*, found"):
        config_from_json("rcnn", {**values, "search": {**search, "color_spaces": ["cmyk"]}})
    with pytest.raises(ValueError, match=r"rcnn: search: unknown or missing options \['odd'\]"):
        config_from_json("rcnn", {**values, "search": {**search, "odd": 1}})

"""The table of all models: their names, configs and constructors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Protocol, TypeAlias, cast, get_args, get_origin, get_type_hints

from boxmask.classifiers.contract import Classifier
from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.contract import Detector
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.models.config_checks import describe_invalid_value
from boxmask.pipeline.model import ModelEntry
from boxmask.segmenters.contract import Segmenter
from boxmask.segmenters.table import SEGMENTERS

AnyModel: TypeAlias = Detector | Segmenter | Classifier

MODELS: dict[str, ModelEntry] = {**DETECTORS, **SEGMENTERS, **CLASSIFIERS}

ADDED_LATER: dict[str, object] = {"proposal_threshold": 0.0, "voting_iou": 0.0}
"""Fields that configs of older checkpoints lack, with the values that keep their predictions."""


def model_entry(model: str) -> ModelEntry:
    """Look up a model by name. Raises UsageError, with the known names, for any other."""
    if model not in MODELS:
        raise UsageError(f"unknown model {model!r}; choose from: {', '.join(MODELS)}")
    return MODELS[model]


class HasConfig(Protocol):
    """A network, or what stands for several."""

    @property
    def config(self) -> Any:
        """The frozen config of a method."""


def name_of(model: HasConfig) -> str:
    """The name of a model in the table."""
    return next(name for name, row in MODELS.items() if row.config is type(model.config))


def make_config(model: str, preset: str, **options: object) -> Any:
    """The config of a preset, with some options replaced.

    Raises UsageError for an unknown preset or option, and for a value of the wrong type or out of range.
    """
    row = model_entry(model)
    if preset not in row.presets:
        raise UsageError(f"{model} has no preset {preset!r}; choose from: {', '.join(row.presets)}")
    known = {field.name for field in fields(row.config)}
    if unknown := sorted(set(options) - known):
        raise UsageError(f"{model} has no option {unknown[0]!r}; choose from: {', '.join(sorted(known))}")
    if wrong := _describe_wrong_type(row.config, options):
        raise UsageError(f"{model}: {wrong}")
    config = row.config(**{**row.presets[preset], **options})
    if wrong := describe_invalid_value(model, config):
        raise UsageError(f"{model}: {wrong}")
    return config


def _describe_wrong_type(config: type[Any], options: Mapping[str, object]) -> str:
    """A message about the first option of the wrong type; empty if there is none."""
    types = get_type_hints(config)
    for name, value in options.items():
        if not _has_type(value, types[name]):
            expected = str(types[name]) if get_args(types[name]) else getattr(types[name], "__name__", "")
            return f"{name}: expected {expected}, found {value!r}"
    return ""


def _has_type(value: object, annotation: Any) -> bool:
    """Whether a value fits the annotation of a config field; an int fits float."""
    arguments = get_args(annotation)
    if not arguments:
        allowed = (int, float) if annotation is float else annotation
        return isinstance(value, allowed) and (annotation is bool or not isinstance(value, bool))
    if get_origin(annotation) is Literal:
        return value in arguments
    if get_origin(annotation) is not tuple:  # X | None
        return any(_has_type(value, argument) for argument in arguments)
    if not isinstance(value, tuple):
        return False
    items = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
    return len(value) == len(items) and all(map(_has_type, value, items))


def config_from_json(model: str, values: dict[str, Any]) -> Any:
    """Rebuild a config from the JSON of its `dataclasses.asdict`.

    Raises ValueError if options are unknown, missing, of the wrong type or out of range.
    """
    config = _dataclass_from_json(model_entry(model).config, values, model)
    if wrong := describe_invalid_value(model, config):
        raise ValueError(f"{model}: {wrong}")
    return config


def _dataclass_from_json(config: type[Any], values: dict[str, Any], where: str) -> Any:
    names = {field.name for field in fields(config)}
    values = {name: value for name, value in ADDED_LATER.items() if name in names} | values
    if set(values) != names:
        raise ValueError(f"{where}: unknown or missing options {sorted(set(values) ^ names)}")
    types = get_type_hints(config)
    options = {name: _from_json(value, types[name], f"{where}: {name}") for name, value in values.items()}
    if wrong := _describe_wrong_type(config, options):
        raise ValueError(f"{where}: {wrong}")
    return config(**options)


def _from_json(value: Any, annotation: Any, where: str) -> Any:
    """Lists become the tuples of the configs, and dicts the nested configs of the annotation."""
    if isinstance(value, dict) and is_dataclass(annotation):
        return _dataclass_from_json(cast(type[Any], annotation), value, where)
    return tuple(_from_json(item, None, where) for item in value) if isinstance(value, list) else value

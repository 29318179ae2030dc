"""The table of all models: what each is called, how it is built, and whose numbers it can be built with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from boxmask.classifiers.contract import Classifier
from boxmask.classifiers.table import CLASSIFIERS
from boxmask.detectors.contract import Detector
from boxmask.detectors.table import DETECTORS
from boxmask.errors import UsageError
from boxmask.pipeline.model import Entry, Model
from boxmask.segmenters.contract import Segmenter
from boxmask.segmenters.table import SEGMENTERS

AnyModel: TypeAlias = Detector | Segmenter | Classifier

MODELS: dict[str, Entry] = {**DETECTORS, **SEGMENTERS, **CLASSIFIERS}


# numbers that joined a config after networks had been saved without them, and what these networks have
JOINED: dict[str, object] = {"rpn_depth": 1, "box_convs": 0, "l2_norm": False}


def entry(model: str) -> Entry:
    """The row of a model's name; UsageError names those that there are."""
    if model not in MODELS:
        raise UsageError(f"model {model!r} is not known; there are: {', '.join(MODELS)}")
    return MODELS[model]


def name_of(model: Model) -> str:
    """The name in the table of a model that was built from it."""
    return next(name for name, row in MODELS.items() if row.config is type(model.config))


def make_config(model: str, preset: str, **numbers: object) -> Any:
    """The config of a preset, with single numbers replaced.

    Raises UsageError for a preset or a number that does not exist, and for a value of another kind.
    """
    row = entry(model)
    if preset not in row.presets:
        raise UsageError(f"{model} has no preset {preset!r}; it has: {', '.join(row.presets)}")
    known = {field.name for field in fields(row.config)}
    if unknown := sorted(set(numbers) - known):
        raise UsageError(f"{model} has no number {unknown[0]!r}; it has: {', '.join(sorted(known))}")
    kinds = get_type_hints(row.config)
    for name, value in numbers.items():
        if not _is_of(value, kinds[name]):
            kind = getattr(kinds[name], "__name__", "") if not get_args(kinds[name]) else str(kinds[name])
            raise UsageError(f"{model}: {name}: expected {kind}, found {value!r}")
    return row.config(**{**row.presets[preset], **numbers})


def _is_of(value: object, kind: Any) -> bool:
    """Whether a value is of the kind that a config's field is annotated with; a whole number is a float."""
    parts = get_args(kind)
    if not parts:
        return isinstance(value, (int, float) if kind is float else kind) and (
            kind is bool or not isinstance(value, bool)
        )
    if get_origin(kind) is not tuple:  # X | None
        return any(_is_of(value, part) for part in parts)
    if not isinstance(value, tuple):
        return False
    wanted = parts[:1] * len(value) if parts[1:] == (...,) else parts
    return len(value) == len(wanted) and all(map(_is_of, value, wanted))


def config_from_json(model: str, values: dict[str, Any]) -> Any:
    """A config from what `dataclasses.asdict` and JSON made of it; ValueError for fields that do not fit."""
    config = entry(model).config
    names = {field.name for field in fields(config)}
    values = {**{name: number for name, number in JOINED.items() if name in names}, **values}
    if set(values) != names:
        raise ValueError(f"{model}: unknown or missing numbers {sorted(set(values) ^ names)}")
    parts = {field.name: field.default for field in fields(config)}
    return config(**{name: _from_json(value, parts[name]) for name, value in values.items()})


def _from_json(value: Any, default: Any) -> Any:
    """JSON has lists where the configs have tuples, and dicts where they have a part with its own numbers."""
    if isinstance(value, dict):
        return type(default)(**{name: _from_json(item, None) for name, item in value.items()})
    return tuple(_from_json(item, None) for item in value) if isinstance(value, list) else value

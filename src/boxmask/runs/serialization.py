"""A recipe as JSON: recipe.json of a run, and the metadata of its checkpoints."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from boxmask.runs.recipe import Recipe

BEFORE_THE_FIELD = {"size": None, "anchors": "preset"}
"""What versions without a field did, where its default now does something else."""


def recipe_to_dict(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe's fields by name, with paths as text."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(recipe).items()}


def recipe_from_dict(content: object) -> Recipe:
    """Return the recipe that `recipe_to_dict` and JSON turned into `content`.

    A field that is missing, because an older version wrote the file, gets its default, or the value that
    the older version used where the default is new. Raises ValueError for
    unknown fields and values of the wrong type, and UsageError for values out of range.
    """
    if not isinstance(content, dict) or "model" not in content:
        raise ValueError("expected the fields of a recipe, with at least a model")
    types = get_type_hints(Recipe)
    if unknown := sorted(set(content) - set(types)):
        raise ValueError(f"unknown field {unknown[0]!r}")
    content = {**BEFORE_THE_FIELD, **content}
    return Recipe(**{name: _from_json(name, value, types[name]) for name, value in content.items()})


def _from_json(name: str, value: Any, expected: Any) -> Any:
    """Convert a JSON value to the type of a field; raises ValueError if it does not fit."""
    origin, parts = get_origin(expected), get_args(expected)
    if origin is tuple and isinstance(value, list):
        types = parts[:1] * len(value) if parts[1:] == (...,) else parts
        if len(types) == len(value):
            return tuple(_from_json(name, item, kind) for item, kind in zip(value, types, strict=True))
    elif origin is Literal:
        if value in parts:
            return value
    elif origin in (Union, UnionType):
        others = [part for part in parts if part is not NoneType]
        if value is None and NoneType in parts:
            return None
        if len(others) == 1:
            return _from_json(name, value, others[0])
        for part in others:
            with suppress(ValueError):
                return _from_json(name, value, part)
    elif expected is Path and isinstance(value, str):
        return Path(value)
    elif type(value) is expected or (expected is float and type(value) is int):
        return value
    raise ValueError(f"{name}: expected {expected if parts else expected.__name__}, found {value!r}")

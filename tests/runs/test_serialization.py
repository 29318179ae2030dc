from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest

from boxmask.errors import UsageError
from boxmask.runs.recipe import Recipe
from boxmask.runs.serialization import recipe_from_dict, recipe_to_dict

UNUSUAL = Recipe(
    max_minutes=3,
    detector=Path("runs") / "a",
    model_options=("a=1", "b=(2, 3)"),
    scale=(0.5, 2),
    frozen_stages=0,
    batch_size="auto",
    log_with=("tensorboard", "mlflow"),
)


@pytest.mark.parametrize("recipe", [Recipe(), UNUSUAL, Recipe(epochs=1).with_method_defaults()])
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert recipe_from_dict(json.loads(json.dumps(recipe_to_dict(recipe)))) == recipe


def test_a_missing_field_gets_its_default_or_what_older_versions_did() -> None:
    expected = Recipe(model="ssd", seed=3, size=None, anchors="preset")
    assert recipe_from_dict({"model": "ssd", "seed": 3}) == expected


@pytest.mark.parametrize("size", [None, "auto", 480])
def test_the_size_is_a_number_or_auto_or_the_presets(size: int | Literal["auto"] | None) -> None:
    assert recipe_from_dict({"model": "ssd", "size": size}).size == size


@pytest.mark.parametrize("content", [None, [], "text", {}, {"seed": 1}])
def test_other_json_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="expected the fields of a recipe"):
        recipe_from_dict(content)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"momentum": 0.9}, "unknown field 'momentum'"),
        ({"seed": "one"}, "seed: expected int, found 'one'"),
        ({"seed": True}, "seed: expected int, found True"),
        ({"seed": None}, "seed: expected int, found None"),
        ({"flip": "often"}, "flip: expected float, found 'often'"),
        ({"scale": [1, 2, 3]}, "scale: expected tuple[float, float], found [1, 2, 3]"),
        ({"scale": 1}, "scale: expected tuple[float, float], found 1"),
        ({"model_options": [1]}, "model_options: expected str, found 1"),
        ({"detector": 3}, "detector: expected Path, found 3"),
        ({"batch_size": "many"}, "batch_size: expected "),
        (
            {"log_with": ["excel"]},
            "log_with: expected typing.Literal['tensorboard', 'mlflow'",
        ),
        ({"optimizer": "lamb"}, "optimizer: expected typing.Literal['adamw', 'sgd'], found 'lamb'"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(field: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        recipe_from_dict({"model": "ssd", **field})


def test_a_value_out_of_range_is_named() -> None:
    with pytest.raises(UsageError, match="--flip: expected 0 to 1, found 2"):
        recipe_from_dict({"model": "ssd", "flip": 2})

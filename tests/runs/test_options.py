from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_type_hints

from boxmask.runs.options import RecipeOptions
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import TrackerName

ACCEPTED = {  # options that take more than the field of the recipe holds
    Path | None: str | os.PathLike[str] | None,
    tuple[str, ...]: Mapping[str, object] | tuple[str, ...],
}


def test_options_are_the_fields_of_the_recipe_with_the_same_types() -> None:
    fields = {name: get_type_hints(Recipe)[name] for name in Recipe.__dataclass_fields__}
    options = get_type_hints(RecipeOptions)
    assert list(options) == list(fields)
    accepted = {name: ACCEPTED.get(kind, kind) for name, kind in fields.items()}
    accepted["init"] = str | os.PathLike[str] | None
    accepted["classes"], accepted["map"] = Sequence[str] | None, Mapping[str, str] | tuple[str, ...]
    accepted["log_with"] = Sequence[TrackerName]
    assert options == accepted


def test_every_option_can_be_left_out() -> None:
    assert RecipeOptions.__required_keys__ == frozenset()

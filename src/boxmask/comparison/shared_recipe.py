"""The recipe that all models of a comparison share: the options of `boxmask train` that fit several models.

It imports nothing heavy, so that the help is instant.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

# The annotations of the inherited fields are evaluated in this file: their names must be known here.
from boxmask.runs.method_defaults import CropPolicy as CropPolicy
from boxmask.runs.recipe import AUGMENTATION as AUGMENTATION
from boxmask.runs.recipe import BASICS as BASICS
from boxmask.runs.recipe import DATA as DATA
from boxmask.runs.recipe import MODEL as MODEL
from boxmask.runs.recipe import OPTIMIZER as OPTIMIZER
from boxmask.runs.recipe import RUN as RUN
from boxmask.runs.recipe import SCHEDULE as SCHEDULE
from boxmask.runs.recipe import Recipe
from boxmask.runs.recipe_values import AUTO
from boxmask.runs.recipe_values import TrackerName as TrackerName

NO_FLAG = Parameter(parse=False)
FOR_ONE_MODEL = ("model", "init", "detector", "classifier", "model_options", "training", "max_regions")
"""Fields of the recipe that do not fit several models."""


@dataclass(frozen=True)
class SharedRecipe(Recipe):
    """How to train all models of a comparison. --max-minutes and --epochs are per model.

    Raises UsageError for a value out of range.
    """

    model: Annotated[str, NO_FLAG] = AUTO
    init: Annotated[str | None, NO_FLAG] = None
    detector: Annotated[Path | None, NO_FLAG] = None
    classifier: Annotated[Path | None, NO_FLAG] = None
    model_options: Annotated[tuple[str, ...], NO_FLAG] = ()
    training: Annotated[Literal["joint", "alternating"], NO_FLAG] = "joint"
    max_regions: Annotated[int | None, NO_FLAG] = None

    def of_model(self, model: str, seed: int) -> Recipe:
        """The recipe of one training."""
        values = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        return Recipe(**{**values, "model": model, "seed": seed})

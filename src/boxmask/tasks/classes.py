"""The classes that a training or an evaluation uses."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.class_selection import ClassSelection
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run, read_recipe
from boxmask.tasks.contract import LabelOptions


def training_classes(recipe: Recipe) -> ClassSelection:
    """The classes that a recipe names."""
    return ClassSelection(recipe.classes, recipe.map)


def evaluation_classes(run: Path, options: LabelOptions) -> ClassSelection:
    """The classes that the options name, else those of the training, as far as the data set has them.

    Raises CheckpointError if the run's recipe.json is damaged.
    """
    if options.classes is not None or options.map:
        return ClassSelection(options.classes, options.map)
    folder = Run.from_path(run)
    recipe = read_recipe(folder)[0] if folder.recipe_file.is_file() else Recipe()
    return ClassSelection(recipe.classes, recipe.map, strict=False)

"""The config of a trained network as a recipe: a network that is built from it takes all the weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from boxmask.models.table import model_entry
from boxmask.runs.recipe import Recipe
from boxmask.weights.pretrained import Pretrained

FROM_THE_DATA = ("class_names", "class_weights", "detections_per_image")  # follow from each data set
NOT_OPTIONS = ("backbone", "search")  # no --model-option can say them
CROWD_LIMITS = ("test_proposals", "pre_nms_top_k")  # crowded photos need more than the source's may have had
SAME_FIELDS = ({"faster-rcnn", "mask-rcnn"},)  # methods of which one extends the other's config


def inherits_config(recipe: Recipe, source: Pretrained) -> bool:
    """Whether the new network has the source's config: it is of the same method, and no preset is named."""
    methods = {recipe.model, source.model}
    return recipe.preset == "default" and (len(methods) == 1 or methods in SAME_FIELDS)


def inherit_config(recipe: Recipe, source: Pretrained) -> Recipe:
    """The recipe whose network has the source's config, apart from the user's own options.

    The config becomes the nearest preset, with the fields that differ from it as model options.
    """
    if not inherits_config(recipe, source):
        return recipe
    preset, differing = _nearest_preset(recipe.model, source.config)
    options = tuple(
        f"{name}={value!r}" for name, value in differing.items() if name not in (*FROM_THE_DATA, *NOT_OPTIONS)
    )
    return replace(
        recipe,
        preset=preset,
        backbone=recipe.backbone or source.backbone,
        size=None if recipe.size == "auto" else recipe.size,
        anchors="preset",
        model_options=(*options, *recipe.model_options),  # of two values, the last one counts
    )


def raise_limits(recipe: Recipe, needed: Mapping[str, Any], given: Collection[str]) -> Recipe:
    """The recipe with inherited limits as high as the data set needs them.

    needed: the config options that follow from the data set
    given:  the names of the options that the user gave, which stay
    """
    values: dict[str, Any] = recipe.option_values
    limits = {name: values[name] for name in CROWD_LIMITS if name in values and name not in given}
    raised = {name: _larger(limits[name], needed[name]) for name in limits if name in needed}
    written = tuple(f"{name}={value!r}" for name, value in raised.items() if value != limits[name])
    return replace(recipe, model_options=recipe.model_options + written) if written else recipe


def _larger(first: Any, second: Any) -> Any:
    return tuple(map(max, first, second)) if isinstance(first, tuple) else max(first, second)


def _nearest_preset(model: str, config: Any) -> tuple[str, dict[str, object]]:
    """The preset from which the fewest fields of a config differ, and these fields."""
    entry = model_entry(model)
    known = {field.name for field in fields(entry.config)}
    values = {f.name: getattr(config, f.name) for f in fields(config) if f.name in known}
    differing = {}
    for preset, options in entry.presets.items():
        other = entry.config(**{"class_names": config.class_names, **options})
        differing[preset] = {name: v for name, v in values.items() if getattr(other, name) != v}
    nearest = min(differing, key=lambda preset: ("search" in differing[preset], len(differing[preset])))
    return nearest, differing[nearest]

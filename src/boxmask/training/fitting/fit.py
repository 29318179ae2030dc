"""The network fitted to the training photos and the time: `fit` settles a recipe's "auto".

What is chosen is printed, and written into the recipe as if the user had given it, so that a resumed training
repeats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accelerate import Accelerator

from boxmask.pipeline.features.backbone import backbone_strides
from boxmask.runs.recipe import Recipe
from boxmask.training.fitting import limits
from boxmask.training.fitting.anchors import (
    FINER_STRIDE,
    can_have_finer_level,
    choose_anchors,
    finer_level,
    has_anchors,
    share_under,
    side_of_cells,
)
from boxmask.training.fitting.memory import memory_limit
from boxmask.training.fitting.objects import Objects, describe_share
from boxmask.training.fitting.probe import Measurement, Probe
from boxmask.training.fitting.size import SizeChoice, Wording, candidate_sizes, choose_size
from boxmask.training.progress import Report
from boxmask.training.setup import network_config

ANCHOR_OPTIONS = ("strides", "anchor_sizes", "aspect_ratios", "regress_ranges", "scales", "extra_layers")
"""Options that leave nothing to fit if the user gives one of them."""

SIZE_OPTIONS = ("shorter_side", "longer_side")


def fit(
    dataset: Any, recipe: Recipe, accelerator: Accelerator, report: Report, *, inherited: bool = False
) -> Recipe:
    """Return the recipe with a size, levels and anchors in place of "auto".

    The preset's stay where nothing is known: for segmenters, classifiers, R-CNN and Fast R-CNN, whose labels
    or proposals do not depend on them, for presets other than "default", and for trained networks.

    dataset:   the labeled photos, as the task reads them
    inherited: whether the network starts from a trained detector, which has its own levels and anchors
    """
    settled = replace(recipe, size=None if recipe.size == "auto" else recipe.size, anchors="preset")
    config = network_config(dataset, recipe)
    if inherited or recipe.preset != "default" or not _detects_by_place(config):
        return settled
    objects = Objects.of(dataset.split("train"))
    passes = None
    if recipe.size == "auto" and not _gives(recipe, SIZE_OPTIONS) and recipe.training == "joint":
        choices = _size_choices(dataset, recipe, objects, accelerator, report)
        size = choose_size(choices, config.shorter_side)
        photos, small = len(dataset.split("train")), side_of_cells(limits.SMALL_CELLS, config)
        wording = Wording(photos, recipe.minutes, small, len(config.class_names))
        report.message(wording.describe(choices, size))
        settled, passes = replace(settled, size=size), choices[size].passes
    if recipe.anchors == "auto" and not _gives(recipe, ANCHOR_OPTIONS):
        return _fit_anchors(dataset, settled, objects, passes, report)
    return settled


def _detects_by_place(config: Any) -> bool:
    """Whether the network looks for objects at every place of its maps, small ones on the finest."""
    return has_anchors(config) or hasattr(config, "regress_ranges")


def _gives(recipe: Recipe, names: tuple[str, ...]) -> bool:
    return any(name in recipe.option_values for name in names)


def with_options(recipe: Recipe, options: Mapping[str, object]) -> Recipe:
    """The recipe with more model options, written as the user writes them."""
    written = tuple(f"{name}={value!r}" for name, value in options.items())
    return replace(recipe, model_options=recipe.model_options + written)


# ---------------------------------------------------------------- photo size


def _size_choices(
    dataset: Any, recipe: Recipe, objects: Objects, accelerator: Accelerator, report: Report
) -> dict[int, SizeChoice]:
    """The sizes to choose from. With epochs, and in short trainings, nothing is measured."""
    preset = network_config(dataset, recipe).shorter_side
    sizes = candidate_sizes(preset, objects.middle_shorter_side)
    configs = {size: network_config(dataset, replace(recipe, size=size)) for size in sizes}
    small = {size: share_under(limits.SMALL_CELLS, objects, config) for size, config in configs.items()}
    if recipe.minutes is None:
        return {size: SizeChoice(size, small[size]) for size in sizes}
    seconds = min(limits.PROBE_SECONDS, limits.PROBE_SHARE * 60 * recipe.minutes)
    if seconds < limits.MIN_PROBE_SECONDS:
        return {preset: SizeChoice(preset, small[preset])}
    report.message(f"measuring for {seconds:.0f} seconds how fast this machine trains")
    ends = sorted({preset, max(size for size in sizes if size <= 1.5 * preset)})
    measured = Probe(dataset, recipe, accelerator).measure(ends, seconds)
    if preset not in measured:
        return {preset: SizeChoice(preset, small[preset])}
    fitting = sizes_that_fit(sizes, measured, ends, memory_limit(accelerator.device))
    if len(fitting) < len(sizes):
        report.message(f"note: {sizes[len(fitting)]} px would not fit the memory of this machine")
    seconds_per_pass = {
        size: interpolate(measured, size).seconds * len(dataset.split("train")) for size in fitting
    }
    training_seconds = limits.TRAINING_SHARE * 60 * recipe.minutes
    return {
        size: SizeChoice(size, small[size], training_seconds / seconds_per_pass[size]) for size in fitting
    }


def sizes_that_fit(
    sizes: list[int], measured: Mapping[int, Measurement], tried: list[int], limit: int
) -> list[int]:
    """The sizes, ascending, whose training steps fit into `limit` bytes; the smallest that was measured does.

    tried: the sizes that were to be measured; those that are missing in `measured` do not fit
    """
    failed = min((size for size in tried if size not in measured), default=max(sizes) + 1)
    needed = {size: interpolate(measured, size).memory for size in sizes if size < failed}
    return [size for size, memory in needed.items() if size <= min(measured) or memory <= limit]


def interpolate(measured: Mapping[int, Measurement], size: int) -> Measurement:
    """What training takes at a size: time and memory grow with the number of pixels.

    Other programs may slow down one of two measurements. So time grows at least with the side, and below the
    smaller measured size it falls between the side and the pixels.
    """
    low, high = min(measured), max(measured)
    if low == high:  # only one was measured: all of its time and memory goes to the pixels
        factor = size**2 / low**2
        return Measurement(measured[low].seconds * factor, int(measured[low].memory * factor))
    share = (size**2 - low**2) / (high**2 - low**2)
    (first, second), (less, more) = zip(measured[low], measured[high], strict=True)
    seconds, by_side = first + share * (second - first), first * size / low
    seconds = max(seconds, by_side) if size > low else min(max(seconds, by_side * size / low), by_side)
    return Measurement(seconds, int(less + share * max(0, more - less)))


# ---------------------------------------------------------------- levels and anchors


def _fit_anchors(
    dataset: Any, recipe: Recipe, objects: Objects, passes: float | None, report: Report
) -> Recipe:
    """The recipe with a finer level where objects are small, and with fitted anchors where they gain."""
    config, cells = network_config(dataset, recipe), limits.FINER_LEVEL_CELLS
    tiny = share_under(cells, objects, config)
    if tiny > limits.MAX_SMALL_SHARE and _has_time_for_finer_level(config, passes) and _has_finer_map(config):
        share = describe_share(tiny, len(config.class_names))
        report.message(
            f"levels: a finer map (P2, stride {FINER_STRIDE}), because {share} are smaller than "
            f"{side_of_cells(cells, config)} px"
        )
        recipe = with_options(recipe, finer_level(config))
        config = network_config(dataset, recipe)
    if not has_anchors(config):
        return recipe
    choice = choose_anchors(objects, config)
    report.message(str(choice))
    given = {name: value for name, value in choice.options.items() if value != getattr(config, name)}
    return with_options(recipe, given)


def _has_time_for_finer_level(config: Any, passes: float | None) -> bool:
    is_two_stage = hasattr(config, "roi_iou")
    cost = limits.FINER_LEVEL_COST if is_two_stage else limits.FINER_LEVEL_COST_ONE_STAGE
    return passes is None or passes / cost >= limits.MIN_PASSES


def _has_finer_map(config: Any) -> bool:
    return can_have_finer_level(config) and FINER_STRIDE in backbone_strides(config.backbone)

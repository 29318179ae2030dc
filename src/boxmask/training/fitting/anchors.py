"""The anchors and the levels of the pyramid, from the sizes and shapes of the training objects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from boxmask.messages import format_percent
from boxmask.training.fitting.clusters import cluster_sizes, typical_ratios
from boxmask.training.fitting.coverage import best_ious, default_box_levels, grids, pyramid_levels
from boxmask.training.fitting.limits import MATCH_IOU, MAX_OBJECTS, MIN_GAIN, MIN_OBJECTS
from boxmask.training.fitting.objects import Objects, describe_share, share_by_class, sides

FINER_STRIDE, FINEST_STRIDE = 4, 8  # of P2 and P3


@dataclass(frozen=True)
class AnchorChoice:
    """The anchors of a network.

    num_classes: number of classes
    options:     the fields of the config that differ from the preset's; empty if its anchors stay
    before:      the share of the training objects that the preset's anchors cover, averaged over classes
    after:       the share that the chosen ones cover
    """

    num_classes: int
    options: dict[str, object]
    before: float
    after: float

    def __str__(self) -> str:
        """One line on the coverage."""
        covered = f"{describe_share(self.after, self.num_classes)} at IoU {MATCH_IOU:g}"
        if not self.options:
            return f"anchors: the preset's cover {covered}"
        before = format_percent(self.before)
        return f"anchors: fitted to the objects, they cover {covered} (the preset's: {before})"


def has_anchors(config: Any) -> bool:
    """Whether the config is that of a network with anchors or default boxes."""
    return hasattr(config, "anchor_sizes") or hasattr(config, "default_box_strides")


# ---------------------------------------------------------------- levels


def side_of_cells(cells: int, config: Any) -> int:
    """The side of so many cells of the finest map, in pixels of the network's input."""
    return int(cells * config.strides[0])


def share_under(cells: int, objects: Objects, config: Any) -> float:
    """The share of objects that are smaller than so many cells, averaged over classes."""
    return share_by_class(sides(objects.resized(config)) < side_of_cells(cells, config), objects.labels)


def can_have_finer_level(config: Any) -> bool:
    """Whether P2 can be added: the network has a pyramid, and P3 is its finest level."""
    in_pyramid = bool(getattr(config, "channels", 0)) and not hasattr(config, "default_box_strides")
    return in_pyramid and config.strides[0] == FINEST_STRIDE


def finer_level(config: Any) -> dict[str, object]:
    """The options that add P2: its anchors are half as large as P3's, and so is FCOS's range."""
    options: dict[str, object] = {"strides": (FINER_STRIDE, *config.strides)}
    if hasattr(config, "anchor_sizes"):
        finest = tuple(size / 2 for size in config.anchor_sizes[0])
        options["anchor_sizes"] = (finest, *config.anchor_sizes)
    if hasattr(config, "regress_ranges"):
        options["regress_ranges"] = (config.regress_ranges[0] / 2, *config.regress_ranges)
    return options


# ---------------------------------------------------------------- anchors


def choose_anchors(objects: Objects, config: Any) -> AnchorChoice:
    """Fit sizes, and sizes with aspect ratios; the best replace the preset's if they cover clearly more."""
    objects = objects.sample(MAX_OBJECTS)
    before, num_classes = anchor_coverage(objects, config), len(config.class_names)
    choice = AnchorChoice(num_classes, {}, before, before)
    if len(objects) < MIN_OBJECTS:
        return choice
    for options in _fitted(objects, config):
        after = anchor_coverage(objects, replace(config, **options))
        if after > choice.after and after >= before + MIN_GAIN:
            choice = AnchorChoice(num_classes, options, before, after)
    return choice


def anchor_coverage(objects: Objects, config: Any) -> float:
    """The share of the objects with an anchor of IoU 0.5 or more, averaged over classes."""
    is_square = hasattr(config, "default_box_strides")
    levels = default_box_levels(config) if is_square else pyramid_levels(config)
    cells = grids(objects.input_sizes(config), levels, config.multiple_of)
    ious = best_ious(objects.resized(config), objects.photos, levels, cells)
    return share_by_class(ious >= MATCH_IOU, objects.labels)


def _fitted(objects: Objects, config: Any) -> list[dict[str, object]]:
    """The options of the fitted anchors, from the fewest changes to the most."""
    boxes = objects.resized(config)
    shapes = boxes[:, 2:] - boxes[:, :2]
    if hasattr(config, "default_box_strides"):
        return [{"scales": _fit_scales(shapes, config)}]
    fitted = []
    for ratios in (config.aspect_ratios, typical_ratios(shapes)):
        rows = cluster_sizes(shapes, config.anchor_sizes, ratios)
        rounded = tuple(tuple(float(round(size)) for size in row) for row in rows)
        fitted.append({"anchor_sizes": rounded, "aspect_ratios": ratios})
    return fitted if len(config.aspect_ratios) == len(fitted[1]["aspect_ratios"]) else fitted[:1]


def _fit_scales(shapes: np.ndarray, config: Any) -> tuple[float, ...]:
    """SSD's scales: one size per map, and the last one, which only limits the largest default box."""
    side = config.shorter_side
    ratios = (1 / 2, 1.0, 2.0)  # every map has them
    rows = cluster_sizes(shapes, tuple((scale * side,) for scale in config.scales[:-1]), ratios)
    scales = [round(row[0] / side, 3) for row in rows]
    return (*scales, max(config.scales[-1], scales[-1]))

"""Check the values in the configs of all models: their ranges, and whether they fit together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Limit: TypeAlias = tuple[Callable[[float], bool], str]

AT_LEAST_1: Limit = (lambda value: 1 <= value < math.inf, "1 or more")
AT_LEAST_0: Limit = (lambda value: 0 <= value < math.inf, "0 or more")
POSITIVE: Limit = (lambda value: 0 < value < math.inf, "more than 0")
AT_LEAST_2: Limit = (lambda value: 2 <= value < math.inf, "2 or more")
FRACTION: Limit = (lambda value: 0 <= value <= 1, "0 to 1")

LIMITS: dict[str, Limit] = {
    # image
    "shorter_side": AT_LEAST_2,
    "longer_side": AT_LEAST_2,
    "multiple_of": AT_LEAST_1,
    "tile": AT_LEAST_0,
    # features
    "stride": AT_LEAST_1,
    "strides": AT_LEAST_1,
    "channels": AT_LEAST_1,
    "extra_levels": AT_LEAST_0,
    # proposals and default boxes
    "anchor_sizes": POSITIVE,
    "aspect_ratios": POSITIVE,
    "scales": POSITIVE,
    "default_box_strides": POSITIVE,
    "regress_ranges": POSITIVE,
    "train_proposals": AT_LEAST_1,
    "test_proposals": AT_LEAST_1,
    "region_size": AT_LEAST_1,
    "region_batch_size": AT_LEAST_1,
    "context": AT_LEAST_0,
    "canonical_size": AT_LEAST_1,
    "pool_size": AT_LEAST_1,
    "mask_pool_size": AT_LEAST_1,
    # heads
    "rpn_channels": AT_LEAST_1,
    "rpn_depth": AT_LEAST_1,
    "tower_channels": AT_LEAST_1,
    "tower_depth": AT_LEAST_0,
    "norm_groups": AT_LEAST_0,
    "mask_channels": AT_LEAST_1,
    "mask_depth": AT_LEAST_0,
    "box_convs": AT_LEAST_0,
    "hidden": AT_LEAST_1,
    "svd_ranks": AT_LEAST_1,
    "prior_prob": (lambda value: 0 < value < 1, "more than 0 and less than 1"),
    "dropout": (lambda value: 0 <= value < 1, "0 or more and less than 1"),
    # loss
    "rpn_iou": FRACTION,
    "roi_iou": FRACTION,
    "match_iou": FRACTION,
    "rpn_samples": AT_LEAST_1,
    "roi_samples": AT_LEAST_1,
    "rpn_positive_fraction": FRACTION,
    "roi_positive_fraction": FRACTION,
    "positives_per_batch": AT_LEAST_1,
    "negatives_per_batch": AT_LEAST_0,
    "negatives_per_object": AT_LEAST_0,
    "rpn_beta": AT_LEAST_0,
    "roi_beta": AT_LEAST_0,
    "box_beta": AT_LEAST_0,
    "delta_weights": POSITIVE,
    "focal_alpha": FRACTION,
    "focal_gamma": AT_LEAST_0,
    "center_sampling_radius": AT_LEAST_0,
    "auxiliary": AT_LEAST_0,
    # postprocess
    "score_threshold": FRACTION,
    "mask_threshold": FRACTION,
    "nms_iou": FRACTION,
    "voting_iou": FRACTION,
    "proposal_nms_iou": FRACTION,
    "proposal_threshold": FRACTION,
    "pre_nms_top_k": AT_LEAST_1,
    "min_box_size": AT_LEAST_0,
    "detections_per_image": AT_LEAST_1,
}
"""The range of each field that has one, in any config. It holds for every number of a tuple."""

LIMITS_OF_MODEL: dict[tuple[str, str], Limit] = {
    ("faster-rcnn", "channels"): AT_LEAST_0,  # 0: no pyramid
    ("mask-rcnn", "channels"): AT_LEAST_0,
    ("deeplab-v3", "channels"): AT_LEAST_2,  # the norm of the pooled map needs two values
}
NOT_EMPTY = ("class_names", "strides", "anchor_sizes", "aspect_ratios", "scales")
ASCENDING = ("strides", "rpn_iou", "roi_iou", "match_iou", "regress_ranges")


def describe_invalid_value(model: str, config: Any) -> str:
    """A message about the first invalid value, expected and found; empty if all are valid."""
    for name in vars(config):
        value = getattr(config, name)
        limit = LIMITS_OF_MODEL.get((model, name)) or LIMITS.get(name)
        if name in NOT_EMPTY and not value:
            return f"{name}: expected at least one, found {value!r}"
        if limit is not None and not all(map(limit[0], _numbers(value))):
            return f"{name}: expected {limit[1]}, found {value!r}"
        if name in ASCENDING and [*_numbers(value)] != sorted(_numbers(value)):
            return f"{name}: expected ascending values, found {value!r}"
    return _class_names_error(config.class_names) or _mismatch(config)


def _numbers(value: object) -> Iterator[float]:
    """The numbers in a value and in its tuples."""
    if isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float):
        yield value


def _class_names_error(names: tuple[str, ...]) -> str:
    """A message about blank or repeated class names; empty if there are none."""
    if blank := [name for name in names if not name.strip()]:
        return f"class_names: expected names with letters or digits, found {blank[0]!r}"
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        return f"class_names: expected different names, found {twice!r} twice"
    return ""


def _mismatch(config: Any) -> str:
    """A message about values that do not fit together; empty if all do."""
    c = vars(config)
    if c.get("norm_groups") and c["tower_channels"] % c["norm_groups"]:
        return (
            f"norm_groups: expected a divisor of tower_channels ({c['tower_channels']}), "
            f"found {c['norm_groups']}"
        )
    if "region_size" in c and not c["region_size"] > max(c["stride"] - 1, 2 * c["context"]):
        minimum = max(c["stride"], 2 * c["context"] + 1)
        return (
            f"region_size: expected {minimum} or more for this stride and context, found {c['region_size']}"
        )
    for row in c.get("extra_layers", ()):
        if row[0] < 2 or min(row[1:3]) < 1 or row[3] < 0:
            rows = "channels of 2 or more, kernel and stride of 1 or more, padding of 0 or more"
            return f"extra_layers: expected {rows}, found {row}"
    if "extra_levels" in c or "anchor_sizes" in c:
        return _levels_error(c)
    return ""


def _levels_error(c: dict[str, Any]) -> str:
    """A message if the anchors or ranges do not match the levels of the pyramid; empty if they do."""
    levels = len(c["strides"]) + c.get("extra_levels", 1 if c["channels"] else 0)
    if "anchor_sizes" in c and len(c["anchor_sizes"]) != levels:
        return f"anchor_sizes: expected a row for each of {levels} levels, found {c['anchor_sizes']}"
    if "regress_ranges" in c and len(c["regress_ranges"]) != levels - 1:
        return (
            f"regress_ranges: expected {levels - 1} limits between {levels} levels, "
            f"found {c['regress_ranges']}"
        )
    return ""

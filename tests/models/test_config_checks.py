"""Invalid values in configs: each is refused with what was expected and found, or works."""

from __future__ import annotations

import re
from dataclasses import asdict, fields, replace
from itertools import product
from typing import Any

import pytest
import torch

from boxmask.errors import BoxmaskError, UsageError
from boxmask.models.table import MODELS, config_from_json, make_config, model_entry
from boxmask.pipeline.selective_search.search import MODES

SEARCH = replace(MODES["single"], width=60)
SMALL: dict[str, object] = {"class_names": ("a", "b"), "backbone": "test_resnet"}
SMALL |= {"shorter_side": 64, "longer_side": 96}
NOT_CHANGED = ("class_names", "backbone", "search", "shorter_side", "longer_side")


def small_options(model: str) -> dict[str, object]:
    searches = any(item.name == "search" for item in fields(MODELS[model].config))
    return {**SMALL, "search": SEARCH} if searches else SMALL


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("mask-rcnn", {"mask_channels": 0}, "mask_channels: expected 1 or more, found 0"),
        ("retinanet", {"channels": 0}, "channels: expected 1 or more, found 0"),
        ("fcos", {"tower_channels": 0}, "tower_channels: expected 1 or more, found 0"),
        ("faster-rcnn", {"channels": -1}, "channels: expected 0 or more, found -1"),
        ("unet", {"channels": (0, 8, 8, 8)}, "channels: expected 1 or more, found (0, 8, 8, 8)"),
        ("faster-rcnn", {"strides": ()}, "strides: expected at least one, found ()"),
        ("faster-rcnn", {"strides": (16, 8, 32)}, "strides: expected ascending values, found (16, 8, 32)"),
        ("ssd", {"class_names": ()}, "class_names: expected at least one, found ()"),
        ("fcn", {"class_names": ("a", " ")}, "class_names: expected names with letters or digits, found ' '"),
        ("rcnn", {"class_names": ("a", "a")}, "class_names: expected different names, found 'a' twice"),
        ("faster-rcnn", {"nms_iou": 1.5}, "nms_iou: expected 0 to 1, found 1.5"),
        ("faster-rcnn", {"nms_iou": float("nan")}, "nms_iou: expected 0 to 1, found nan"),
        ("faster-rcnn", {"rpn_iou": (0.7, 0.3)}, "rpn_iou: expected ascending values, found (0.7, 0.3)"),
        ("fcos", {"norm_groups": 7}, "norm_groups: expected a divisor of tower_channels (96), found 7"),
        ("fcos", {"regress_ranges": (64.0,)}, "regress_ranges: expected 3 limits between 4 levels"),
        ("retinanet", {"anchor_sizes": ((32.0,),)}, "anchor_sizes: expected a row for each of 4 levels"),
        (
            "rcnn",
            {"region_size": 30},
            "region_size: expected 32 or more for this stride and context, found 30",
        ),
        ("ssd", {"extra_layers": ((1, 3, 2, 1),)}, "extra_layers: expected channels of 2 or more"),
    ],
)
def test_values_out_of_range(model: str, options: dict[str, object], message: str) -> None:
    values = {**SMALL, **options}
    with pytest.raises(UsageError, match=re.escape(f"{model}: {message}")):
        make_config(model, "default", **values)
    valid = asdict(make_config(model, "default", **SMALL))
    with pytest.raises(ValueError, match=re.escape(f"{model}: {message}")):
        config_from_json(model, {**valid, **options})


def test_a_faster_rcnn_needs_no_pyramid() -> None:
    options = {"channels": 0, "strides": (16,), "anchor_sizes": ((16, 24),)}
    assert make_config("faster-rcnn", "default", **{**SMALL, **options}).channels == 0


# ---------------------------------------------------------------- every field of every config


def changed(value: Any, number: int) -> Any:
    """The value with all its numbers replaced."""
    if isinstance(value, tuple):
        return tuple(changed(item, number) for item in value)
    return value if isinstance(value, bool | str | None) else number


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_any_value_is_refused_or_works(model: str) -> None:
    """No other exception leaves the construction of a model or its prediction."""
    photo = torch.randint(0, 256, (3, 64, 80), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    options = small_options(model)
    default, refused = make_config(model, "default", **options), 0
    names = [item.name for item in fields(default) if item.name not in NOT_CHANGED]
    for name, number in product(names, (0, -1, 1)):
        value = changed(getattr(default, name), number)
        if value == getattr(default, name):
            continue
        try:
            network = model_entry(model).build(
                make_config(model, "default", **{**options, name: value}), None
            )
            network.eval().predict(photo)  # type: ignore[attr-defined]
        except BoxmaskError:
            refused += 1
    assert refused

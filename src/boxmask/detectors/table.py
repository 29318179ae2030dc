"""The table of detectors: what each is called, how it is built, and whose numbers it can be built with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from boxmask.detectors import fast_rcnn, faster_rcnn, fcos, mask_rcnn, rcnn, retinanet, ssd
from boxmask.detectors.contract import Detector
from boxmask.errors import UsageError


@dataclass(frozen=True)
class Entry:
    """One paper: the frozen config, the presets of it, and the module that it builds."""

    config: type[Any]
    build: Callable[[Any, dict[str, Tensor] | None], Detector]
    presets: dict[str, dict[str, object]]


DETECTORS: dict[str, Entry] = {
    "rcnn": Entry(rcnn.RCNNConfig, rcnn.RCNN, rcnn.PRESETS),
    "fast-rcnn": Entry(fast_rcnn.FastRCNNConfig, fast_rcnn.FastRCNN, fast_rcnn.PRESETS),
    "faster-rcnn": Entry(faster_rcnn.FasterRCNNConfig, faster_rcnn.FasterRCNN, faster_rcnn.PRESETS),
    "mask-rcnn": Entry(mask_rcnn.MaskRCNNConfig, mask_rcnn.MaskRCNN, mask_rcnn.PRESETS),
    "retinanet": Entry(retinanet.RetinaNetConfig, retinanet.RetinaNet, retinanet.PRESETS),
    "fcos": Entry(fcos.FCOSConfig, fcos.FCOS, fcos.PRESETS),
    "ssd": Entry(ssd.SSDConfig, ssd.SSD, ssd.PRESETS),
}


# numbers that joined a config after networks had been saved without them, and what these networks have
JOINED: dict[str, object] = {"rpn_depth": 1, "box_convs": 0}


def entry(model: str) -> Entry:
    """The row of a model's name; UsageError names those that there are."""
    if model not in DETECTORS:
        raise UsageError(f"model {model!r} is not known; there are: {', '.join(DETECTORS)}")
    return DETECTORS[model]


def make_config(model: str, preset: str, **numbers: object) -> Any:
    """The config of a preset, with single numbers replaced; UsageError for a preset that does not exist."""
    row = entry(model)
    if preset not in row.presets:
        raise UsageError(f"{model} has no preset {preset!r}; it has: {', '.join(row.presets)}")
    return row.config(**{**row.presets[preset], **numbers})


def config_from_json(model: str, values: dict[str, Any]) -> Any:
    """A config from what `dataclasses.asdict` and JSON made of it; ValueError for fields that do not fit."""
    config = entry(model).config
    names = {field.name for field in fields(config)}
    values = {**{name: number for name, number in JOINED.items() if name in names}, **values}
    if set(values) != names:
        raise ValueError(f"{model}: unknown or missing numbers {sorted(set(values) ^ names)}")
    parts = {field.name: field.default for field in fields(config)}
    return config(**{name: _from_json(value, parts[name]) for name, value in values.items()})


def _from_json(value: Any, default: Any) -> Any:
    """JSON has lists where the configs have tuples, and dicts where they have a part with its own numbers."""
    if isinstance(value, dict):
        return type(default)(**{name: _from_json(item, None) for name, item in value.items()})
    return tuple(_from_json(item, None) for item in value) if isinstance(value, list) else value

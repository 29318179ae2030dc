"""The regions of one annotation: several entries of a file may tell of one region."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SHAPES = re.compile(
    r"(rectangle|ellipse|polygon|brush|keypoint|vector|bitmask|magicwand|videorectangle)(labels)?|labels"
)
_GEOMETRY = (
    "x",
    "y",
    "width",
    "height",
    "rotation",
    "radiusX",
    "radiusY",
    "points",
    "closed",
    "format",
    "rle",
    "vertices",
    "imageDataURL",
    "sequence",
)
_SKIPPED = ("relation",)


@dataclass(slots=True)
class Region:
    """One region.

    index:      of its first entry
    value:      its shape in percent
    size:       (height, width) that it is drawn on; None if that is not given
    labels:     its classes
    attributes: what else is said about it
    """

    index: int
    value: dict[str, object] = field(default_factory=dict)
    size: tuple[object, object] = (None, None)
    labels: list[object] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    image_rotation: object = 0


def regions_of(
    results: Iterable[object],
) -> tuple[list[Region], dict[str, object], list[tuple[int, str]]]:
    """The regions in the "result" of a full export, what is said about the photo, and entries with errors."""
    regions: dict[object, Region] = {}
    of_photo: dict[str, object] = {}
    errors = []
    for index, entry in enumerate(results):
        value = entry.get("value") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or (value is None and entry.get("type") not in _SKIPPED):
            errors.append((index, f'expected an object with a "value", found {str(entry)[:60]}'))
        elif entry.get("type") in _SKIPPED:
            continue
        elif not isinstance(value, dict):
            errors.append((index, f'expected an object as "value", found {str(value)[:60]}'))
        else:
            _add(entry, value, index, regions, of_photo)
    return list(regions.values()), of_photo, errors


def _add(
    entry: Mapping[str, object],
    value: Mapping[str, object],
    index: int,
    regions: dict[object, Region],
    of_photo: dict[str, object],
) -> None:
    key = entry.get("id")
    key = key if isinstance(key, str | int) else object()
    is_shape = _SHAPES.fullmatch(str(entry.get("type", "")).lower()) is not None
    if not is_shape and key not in regions and not any(name in value for name in _GEOMETRY):
        of_photo[str(entry.get("from_name"))] = _answer(value)
        return
    region = regions.setdefault(key, Region(index))
    region.value.update({name: number for name, number in value.items() if name in _GEOMETRY})
    if entry.get("original_width") is not None:
        region.size = (entry.get("original_height"), entry.get("original_width"))
    region.image_rotation = entry.get("image_rotation") or region.image_rotation
    if is_shape:
        _add_labels(region, value)
    else:
        region.attributes[str(entry.get("from_name"))] = _answer(value)
    _add_meta(region, entry)


def _add_labels(region: Region, value: Mapping[str, object]) -> None:
    for name, labels in value.items():
        if name.lower().endswith("labels") and isinstance(labels, list):
            region.labels.extend(label for label in labels if label not in region.labels)


def _add_meta(region: Region, entry: Mapping[str, object]) -> None:
    """The note on a region, and its score."""
    meta = entry.get("meta")
    if isinstance(meta, dict) and meta.get("text"):
        region.attributes["description"] = _single(meta["text"])
    if entry.get("score") is not None:
        region.attributes["score"] = entry["score"]


def _answer(value: Mapping[str, object]) -> object:
    """The answer to a question: the text, the choice or the number; a list if there are several."""
    answers = [answer for name, answer in value.items() if name not in _GEOMETRY]
    return _single(answers[0]) if len(answers) == 1 else dict(value)


def _single(answer: object) -> object:
    only = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    return only if not isinstance(only, str) else {"true": True, "false": False}.get(only, only)


# ---------------------------------------------------------------- minimal exports


def is_region(value: object) -> bool:
    """Whether an entry in a list of a minimal export is a region."""
    return isinstance(value, dict) and any(name in value for name in ("x", "points", "rle", "vertices"))


def minimal_regions(values: Iterable[object]) -> list[Region]:
    """The regions of a minimal export, in which shape, size and labels are fields of one object."""
    regions = []
    for index, value in enumerate(values):
        if isinstance(value, dict):
            region = Region(index, {name: value[name] for name in _GEOMETRY if name in value})
            region.size = (value.get("original_height"), value.get("original_width"))
            _add_labels(region, value)
            regions.append(region)
    return regions

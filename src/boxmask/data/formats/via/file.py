"""A VIA file as read, in one form for the versions 1 to 3 and for CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from boxmask.data.findings import Location
from boxmask.data.formats.via.packed import unpack

_VERSION_2_CHOICES = ("dropdown", "radio", "checkbox")

Locate: TypeAlias = Callable[[int, int | None], Location]
"""From the number of an image, and that of one of its regions, to file and line."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A region attribute as declared.

    options: the values to choose from; none for free text
    """

    options: tuple[str, ...] = ()


@dataclass(slots=True)
class ViaImage:
    """One image.

    number:  of its entry in the file, counted from 0
    regions: each with "shape_attributes" and "region_attributes", if it is in order; packed or not
    """

    number: int
    name: str
    regions: Sequence[object]
    attributes: dict[str, object] = field(default_factory=dict)

    def unpacked_regions(self) -> list[object]:
        """The regions, unpacked."""
        return list(map(unpack, self.regions))


@dataclass(frozen=True)
class ViaFile:
    """One label file, relative to the root."""

    file: str
    images: list[ViaImage]
    attributes: Mapping[str, Attribute]
    locate: Locate


def declared_attributes(content: object) -> dict[str, Attribute]:
    """The attributes of regions in "_via_attributes"."""
    declared = content.get("region") if isinstance(content, dict) else None
    if not isinstance(declared, dict):
        return {}
    return {name: Attribute(_options(fields)) for name, fields in declared.items()}


def _options(fields: object) -> tuple[str, ...]:
    if not isinstance(fields, dict) or fields.get("type") not in _VERSION_2_CHOICES:
        return ()
    options = fields.get("options")
    return tuple(options) if isinstance(options, dict) else ()


def region_attributes(region: object) -> dict[str, Any]:
    """The attributes of a region; none if they are not in order, which is reported with the region."""
    attributes = region.get("region_attributes") if isinstance(region, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def only_true(options: Mapping[str, object]) -> list[str]:
    """The options of a checkbox that are chosen."""
    return [name for name, is_chosen in options.items() if is_chosen is True or is_chosen == "true"]

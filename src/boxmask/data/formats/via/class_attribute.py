"""Which attribute of the regions is their class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from boxmask.data.formats.via.file import Attribute, ViaFile, only_true, region_attributes
from boxmask.errors import LabelError
from boxmask.json_numbers import is_number
from boxmask.names import class_name

CLASS_NAME = "object"
"""The class of all regions of a data set whose regions have no attributes."""

_NAMES = ("class", "label", "name", "type", "category")


def find_class_attribute(files: Sequence[ViaFile], path: str) -> str | None:
    """The attribute that is the class, None if no region has an attribute.

    It is the only attribute with values; else the one with the most telling name, see `_NAMES`; else the only
    one to choose from a list. Raises LabelError if none of these rules finds one.
    """
    counts = Counter(_filled(files))
    declared: dict[str, Attribute] = {}
    for file in files:
        declared |= file.attributes
    names = list(counts) or list(declared)
    if len(names) < 2:
        return next(iter(names), None)
    lower = {name.strip().lower(): name for name in reversed(names)}
    if telling := next((lower[name] for name in _NAMES if name in lower), None):
        return telling
    choices = [name for name in names if declared.get(name, Attribute()).options]
    if len(choices) == 1:
        return choices[0]
    found = ", ".join(f"{name[:60]} ({counts[name]:,} regions)" for name in names[:8])
    raise LabelError.in_file(
        path,
        f"the regions have several attributes, and none of them is clearly the class: {found}. "
        f'Rename the one that names the class to "class".',
    )


def _filled(files: Iterable[ViaFile]) -> Iterable[str]:
    """The name of each attribute of each region that has a value."""
    for file in files:
        for image in file.images:
            for region in image.unpacked_regions():
                for name, value in region_attributes(region).items():
                    if value not in ("", None, {}):
                        yield name


def class_of(attributes: Mapping[str, object], name: str | None) -> str:
    """The class of a region. Raises ValueError if it has none or several."""
    if name is None:
        return CLASS_NAME
    value = attributes.get(name)
    if isinstance(value, dict):
        chosen = only_true(value)
        if len(chosen) != 1:
            raise ValueError(f"expected one choice in the attribute {name[:60]}, found {len(chosen)}")
        return chosen[0]
    text = str(value) if is_number(value) else value
    if not isinstance(text, str) or not class_name(text):
        raise ValueError(f"a region without a class in the attribute {name[:60]}")
    return text


def listed_classes(files: Iterable[ViaFile], name: str | None) -> list[str]:
    """The classes to choose from, in their order."""
    options = [option for file in files for option in file.attributes.get(name or "", Attribute()).options]
    return [option for option in dict.fromkeys(options) if class_name(option)]

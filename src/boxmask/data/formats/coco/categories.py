"""The categories of COCO files as classes, which are identified by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from boxmask.data.class_names import CLASS_NAME_SPELLINGS
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.coco.document import CocoDocument
from boxmask.data.formats.coco.entries import Entry
from boxmask.names import class_name

SUPERCATEGORY_LEFT_OUT = Kind(
    "supercategory-left-out",
    "note",
    "Categories that only group others, and are left out",
    "They have no objects. If one of them is a class, label some objects of it.",
)


def class_names(documents: Sequence[CocoDocument], findings: Findings) -> tuple[str, ...]:
    """The names in the order of their categories' ids, the smallest id if several files differ.

    Roboflow writes the name of the project as category 0, the supercategory of all others. Such a category,
    which is only the supercategory of others and has no annotation, is no class.
    """
    categories = [category for document in documents for category in document.categories.values()]
    _check_shared_names(documents, findings)
    ordered = sorted(categories, key=lambda category: (isinstance(category["id"], str), category["id"]))
    names = list(dict.fromkeys(_class_of(category) for category in ordered))
    parents = {
        class_name(supercategory)
        for category in categories
        if isinstance(supercategory := category.get("supercategory"), str)
        and class_name(supercategory) != _class_of(category)
    }
    used = _used_names(documents)
    left_out = {name for name in names if name in parents and name not in used}
    if len(left_out) == len(names):  # supercategories of one another
        return tuple(names)
    for location, category in _located(documents):
        if _class_of(category) in left_out:
            reason = _class_of(category)
            findings.add(Finding(SUPERCATEGORY_LEFT_OUT, location, reason))
    return tuple(name for name in names if name not in left_out)


def category_attributes(documents: Sequence[CocoDocument]) -> dict[str, Mapping[str, object]]:
    """What categories say beside id and name, by class."""
    attributes: dict[str, Mapping[str, object]] = {}
    for document in documents:
        for category in document.categories.values():
            fields = {key: value for key, value in category.items() if key not in ("id", "name")}
            if fields:
                attributes.setdefault(_class_of(category), fields)
    return attributes


def label_of_category(document: CocoDocument, names: Sequence[str]) -> dict[int, int]:
    """The class of each category, by its index in the file; -1 for one that is no class."""
    label_of = {name: label for label, name in enumerate(names)}
    return {index: label_of.get(_class_of(category), -1) for index, category in document.categories.items()}


def _class_of(category: Entry) -> str:
    """The name of the class that a category stands for."""
    return class_name(category["name"])


def _check_shared_names(documents: Sequence[CocoDocument], findings: Findings) -> None:
    """Add categories of one file with the same name."""
    for document in documents:
        seen: set[str] = set()
        for index, category in document.categories.items():
            if category["name"] in seen:
                location = document.location("categories", index)
                findings.add(Finding(CLASS_NAME_SPELLINGS, location, f"another {_class_of(category)}"))
            seen.add(category["name"])


def _used_names(documents: Iterable[CocoDocument]) -> set[str]:
    """The names of the categories that have an annotation in any of the files."""
    used = set()
    for document in documents:
        ids = set(document.annotations.category_ids)
        used |= {_class_of(category) for category in document.categories.values() if category["id"] in ids}
    return used


def _located(documents: Iterable[CocoDocument]) -> Iterator[tuple[Location, Entry]]:
    for document in documents:
        for index, category in document.categories.items():
            yield document.location("categories", index), category

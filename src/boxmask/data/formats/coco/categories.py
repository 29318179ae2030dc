"""The categories of COCO files as classes, which are identified by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from boxmask.data.class_names import notes_on_class_names
from boxmask.data.formats.coco.document import CocoDocument
from boxmask.data.formats.coco.values import Entry
from boxmask.messages import format_note
from boxmask.names import class_name


def class_names(documents: Sequence[CocoDocument]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names in the order of their categories' ids, the smallest id if several files differ; and notes.

    Roboflow writes the name of the project as category 0, the supercategory of all others. Such a category,
    which is only the supercategory of others and has no annotation, is no class.
    """
    categories = [category for document in documents for category in document.categories]
    ordered = sorted(categories, key=lambda category: (isinstance(category["id"], str), category["id"]))
    names = list(dict.fromkeys(_class_of(category) for category in ordered))
    parents = {
        class_name(supercategory)
        for category in categories
        if isinstance(supercategory := category.get("supercategory"), str)
        and class_name(supercategory) != _class_of(category)
    }
    used = _used_names(documents)
    left_out = [name for name in names if name in parents and name not in used]
    if len(left_out) == len(names):  # supercategories of one another
        return tuple(names), ()
    heading = "left out: categories without objects that are only the supercategory of others"
    kept = tuple(name for name in names if name not in left_out)
    return kept, format_note(heading, _locations(documents, left_out))


def _class_of(category: Entry) -> str:
    """The name of the class that a category stands for."""
    return class_name(category["name"])


def label_indices(documents: Sequence[CocoDocument], names: Sequence[str]) -> NDArray[np.int64]:
    """(N,) the class of each annotation."""
    label_of = {name: label for label, name in enumerate(names)}
    labels: list[int] = []
    for document in documents:
        by_id = {category["id"]: _class_of(category) for category in document.categories}
        labels.extend(label_of[by_id[annotation["category_id"]]] for annotation in document.annotations)
    return np.array(labels, dtype=np.int64)


def notes_on_names(documents: Sequence[CocoDocument]) -> tuple[str, ...]:
    """Categories that count as one class, and classes whose names hardly differ."""
    shared = [
        f"{document.location('categories', index)} {_class_of(category)}"
        for document in documents
        for index, category in enumerate(document.categories)
        if category["name"] in {other["name"] for other in document.categories[:index]}
    ]
    spellings = [category["name"] for document in documents for category in document.categories]
    return (
        *format_note("categories with the same name count as one class", shared),
        *notes_on_class_names(spellings),
    )


def _used_names(documents: Iterable[CocoDocument]) -> set[str]:
    """The names of the categories that have an annotation in any of the files."""
    used = set()
    for document in documents:
        ids = {annotation["category_id"] for annotation in document.annotations}
        used |= {_class_of(category) for category in document.categories if category["id"] in ids}
    return used


def _locations(documents: Iterable[CocoDocument], names: Sequence[str]) -> list[str]:
    return [
        f"{document.location('categories', index)} {_class_of(category)}"
        for document in documents
        for index, category in enumerate(document.categories)
        if _class_of(category) in names
    ]

"""The objects of the chosen classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from boxmask.data.class_selection import LEFT_OUT, ClassChoice, ClassSelection
from boxmask.data.findings import Finding, Findings, Kind, Location
from boxmask.data.formats.labels import Labels
from boxmask.messages import format_count
from boxmask.options import option

CLASS_LEFT_OUT = Kind(
    "class-left-out",
    "note",
    f"Classes that {option('classes')} leaves out",
    f"Name these classes in {option('classes')} to use them.",
)


def select_classes(labels: Labels, selection: ClassSelection, findings: Findings) -> Labels:
    """The objects of the chosen classes. Photos without any of them stay, as background."""
    if not selection:
        return labels
    choice = selection.choose(labels.class_names)
    new_labels = choice.label_of[labels.labels]
    counts = np.bincount(labels.labels, minlength=len(labels.class_names))
    for name, label, count in zip(labels.class_names, choice.label_of, counts.tolist(), strict=True):
        if label == LEFT_OUT:
            detail = f'"{name}": {format_count(count, "object")}'
            findings.add(Finding(CLASS_LEFT_OUT, Location(str(labels.root)), detail))
    chosen = _with_rows(labels, np.flatnonzero(new_labels != LEFT_OUT))
    return replace(
        chosen,
        class_names=choice.names,
        labels=new_labels[new_labels != LEFT_OUT],
        attributes=replace(chosen.attributes, classes=_class_attributes(labels, choice)),
    )


def _class_attributes(labels: Labels, choice: ClassChoice) -> dict[str, Mapping[str, object]]:
    """The attributes of the chosen classes. A merged class has those of the class that had its name already,
    else of the first one.
    """
    attributes: dict[str, Mapping[str, object]] = {}
    for old, label in zip(labels.class_names, choice.label_of.tolist(), strict=True):
        if label == LEFT_OUT or old not in labels.attributes.classes:
            continue
        new = choice.names[label]
        if old == new or new not in attributes:
            attributes[new] = labels.attributes.classes[old]
    return attributes


def _with_rows(labels: Labels, rows: Int[np.ndarray, " R"]) -> Labels:
    """Some of the objects."""
    location, outline = labels.location, labels.outline
    objects = labels.attributes.objects
    with_attributes = enumerate(rows.tolist()) if objects else ()
    attributes = {new: objects[old] for new, old in with_attributes if old in objects}
    return replace(
        labels,
        photo_of=labels.photo_of[rows],
        boxes=labels.boxes[rows],
        extents=labels.extents[rows],
        labels=labels.labels[rows],
        areas=labels.areas[rows],
        crowd=labels.crowd[rows],
        difficult=labels.difficult[rows],
        location=lambda row: location(int(rows[row])),
        outline=None if outline is None else lambda row: outline(int(rows[row])),
        attributes=replace(labels.attributes, objects=attributes),
    )

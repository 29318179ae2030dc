"""Findings about objects and boxes, with the place to draw them."""

from __future__ import annotations

import numpy as np

from boxmask.data.findings import Finding, Kind, Location
from boxmask.data.formats.labels import Labels


def object_finding(labels: Labels, kind: Kind, row: int, reason: str) -> Finding:
    """A finding about the object in a row.

    reason: what is wrong with it, as in "is 1 × 2 pixels"
    """
    photo = labels.photos[labels.photo_of[row]].file
    name = labels.class_names[labels.labels[row]]
    x1, y1, x2, y2 = labels.boxes[row].tolist()
    return Finding(kind, labels.location(row), f"{name} in {photo} {reason}", photo, (x1, y1, x2, y2))


def format_box(labels: Labels, row: int) -> str:
    """The coordinates of a box, in pixels: "x 10 to 65, y 12.5 to 40"."""
    x1, y1, x2, y2 = labels.boxes[row].tolist()
    return f"x {x1:g} to {x2:g}, y {y1:g} to {y2:g}"


def class_finding(labels: Labels, kind: Kind, label: int, detail: str) -> Finding:
    """A finding about a class, at its first object; at the data set's root if it has none."""
    rows = np.flatnonzero(labels.labels == label)
    if not len(rows):
        return Finding(kind, Location(str(labels.root)), detail)
    row = int(rows[0])
    photo = labels.photos[labels.photo_of[row]].file
    x1, y1, x2, y2 = labels.boxes[row].tolist()
    return Finding(kind, labels.location(row), detail, photo, (x1, y1, x2, y2))

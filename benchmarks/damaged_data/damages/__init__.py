"""Functions that each damage one thing. Importing this package fills the table."""

from damaged_data.damages import (
    boxes,
    classes,
    coordinates,
    copies,
    entries,
    files,
    label_maps,
    outlines,
    photos,
    sizes,
)

__all__ = [
    "boxes",
    "classes",
    "coordinates",
    "copies",
    "entries",
    "files",
    "label_maps",
    "outlines",
    "photos",
    "sizes",
]

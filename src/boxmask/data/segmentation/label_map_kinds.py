"""Kinds of findings in label maps."""

from __future__ import annotations

from boxmask.data.findings import Kind

LABEL_MAP_COLOR_UNKNOWN = Kind(
    "label-map-color-unknown",
    "error",
    "Colors or indices that the classes file does not name",
    "Add them to the classes file, with `ignore` at the end of the line if these pixels are not labeled.",
)
INDEX_255_UNCLEAR = Kind(
    "label-map-index-unclear",
    "error",
    "Label maps whose index 255 may be a class",
    "Name index 255 in the classes file: as a class, or with `ignore` if these pixels are not labeled.",
)
PALETTES_DIFFER = Kind(
    "label-map-palettes-differ",
    "error",
    "Label maps with different palettes",
    "The same index has another color in these files, so it may mean another class. Name the classes "
    "by their colors (name RRGGBB) in the classes file.",
)
LABEL_MAP_BLANK = Kind(
    "label-map-blank",
    "warning",
    "Label maps without a labeled pixel",
    "Label these photos, or remove them with their label maps.",
)
COUNTS_FROM_ONE = Kind(
    "label-map-counts-from-one",
    "warning",
    "Label maps whose indices may count from 1",
    "Names without an index count from 0. If these label maps count from 1, write the index of each "
    "name into the classes file.",
)
LABEL_MAP_INVERTED = Kind(
    "label-map-inverted",
    "warning",
    "Label maps that may be inverted",
    "The background has hardly any pixels. Check that no mask is inverted.",
)

"""Errors of shapes that cannot be read, and the kind of finding that each one is."""

from __future__ import annotations

from boxmask.data.findings import Kind
from boxmask.data.formats.kinds import ENTRY_UNREADABLE, SHAPE_UNSUPPORTED


class UnsupportedShapeError(ValueError):
    """A shape that is neither a box nor an outline, such as a point or a line."""


def kind_of_shape_error(error: ValueError) -> Kind:
    """The kind of finding for a shape that cannot be read."""
    return SHAPE_UNSUPPORTED if isinstance(error, UnsupportedShapeError) else ENTRY_UNREADABLE

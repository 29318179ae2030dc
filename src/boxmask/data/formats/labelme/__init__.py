"""LabelMe: one JSON file per photo. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.labelme.read import NAME, read, recognize, unreadable
from boxmask.data.formats.labelme.write import WRITER

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

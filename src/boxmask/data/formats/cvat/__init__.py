"""CVAT for images: one XML file. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.cvat.read import NAME, read, recognize, unreadable
from boxmask.data.formats.cvat.write import WRITER

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

"""CreateML JSON. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.createml.read import NAME, read, recognize, unreadable
from boxmask.data.formats.createml.write import CreatemlWriter

WRITER = CreatemlWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

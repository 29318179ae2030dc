"""VGG Image Annotator: JSON and CSV. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.via.read import NAME, read, recognize, unreadable
from boxmask.data.formats.via.write import CSV_WRITER, WRITER

__all__ = ["CSV_WRITER", "NAME", "WRITER", "read", "recognize", "unreadable"]

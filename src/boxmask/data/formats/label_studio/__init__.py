"""Label Studio: JSON exports, full or minimal. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.label_studio.read import NAME, read, recognize, unreadable
from boxmask.data.formats.label_studio.write import LabelStudioWriter

WRITER = LabelStudioWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

"""Pascal VOC: one XML file per photo. See `boxmask.data.formats.contract.Format`."""

from boxmask.data.formats.voc.read import NAME, read, recognize, unreadable
from boxmask.data.formats.voc.write import VocWriter

WRITER = VocWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

"""Pascal VOC: one XML file per photo. See `boxmask.data.formats.contract.Format`."""

from boxmask.data.formats.voc.read import NAME, read, recognize, unreadable

__all__ = ["NAME", "read", "recognize", "unreadable"]

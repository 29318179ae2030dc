"""LabelMe: one JSON file per photo. See `boxmask.data.formats.contract.Format`."""

from boxmask.data.formats.labelme.read import NAME, read, recognize, unreadable

__all__ = ["NAME", "read", "recognize", "unreadable"]

"""COCO JSON: one file, or a folder with one or several. See `boxmask.data.formats.contract.Format`."""

from boxmask.data.formats.coco.read import NAME, read, recognize, unreadable

__all__ = ["NAME", "read", "recognize", "unreadable"]

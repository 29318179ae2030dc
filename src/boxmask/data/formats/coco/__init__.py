"""COCO JSON: one file, or a folder with one or several. See `boxmask.data.formats.contract.Format`."""

from boxmask.data.formats.coco.read import NAME, read, recognize, unreadable
from boxmask.data.formats.coco.write import CocoWriter

WRITER = CocoWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

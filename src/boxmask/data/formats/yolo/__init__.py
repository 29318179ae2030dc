"""YOLO: one text file per photo. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.yolo.read import NAME, read, recognize, unreadable
from boxmask.data.formats.yolo.write import YoloWriter

WRITER = YoloWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "unreadable"]

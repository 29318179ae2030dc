"""YOLO: one text file per photo. See `boxmask.data.formats.contract`."""

from boxmask.data.formats.yolo.read import NAME, read, recognize, recognize_by_place, unreadable
from boxmask.data.formats.yolo.write import YoloWriter

WRITER = YoloWriter()

__all__ = ["NAME", "WRITER", "read", "recognize", "recognize_by_place", "unreadable"]

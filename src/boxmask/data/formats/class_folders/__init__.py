"""Folders of photos, one per class."""

from boxmask.data.formats.class_folders.write import ClassFolderWriter

WRITER = ClassFolderWriter()

__all__ = ["WRITER"]

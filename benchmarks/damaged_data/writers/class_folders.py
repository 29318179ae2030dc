"""Folders of classes: the class of a photo is that of its first object."""

from __future__ import annotations

from pathlib import Path

from damaged_data.sample import Photo, Place, Sample


class ClassFolders:
    """train/ring/x.jpg."""

    NAME = "class-folders"

    def photo_file(self, photo: Photo) -> str:
        return f"{photo.split}/{photo.objects[0].name}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        return {photo: Place(self.photo_file(photo)) for photo in sample.photos}

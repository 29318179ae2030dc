"""Photos on their way to a writer: each is placed in the new folder before its labels are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from boxmask.data.conversion.options import ConversionOptions
from boxmask.data.conversion.photos_to_write import PhotosToWrite
from boxmask.data.formats.contract import Losses, PhotoToWrite, Writer
from boxmask.data.photo_files import place_photo
from boxmask.photos.size import is_rotated

ROTATED = (
    "labels are written for the photo as shown, after its EXIF rotation; programs that ignore it draw them "
    "in the wrong place"
)


class PlacedPhotos:
    """The photos of a data set. Iterating places them one by one, and counts their objects."""

    def __init__(
        self, photos: PhotosToWrite, writer: Writer, options: ConversionOptions, losses: Losses
    ) -> None:
        self.num_objects = 0
        self._photos, self._writer, self._options, self._losses = photos, writer, options, losses

    def in_folder(self, folder: Path) -> Iterator[PhotoToWrite]:
        """The labels of each photo, which is then in the folder."""
        photos: Iterable[PhotoToWrite] = self._photos
        for number, photo in enumerate(photos, start=1):
            file = self._writer.photo_file(photo.file, photo.split)
            place_photo(photo.path, folder, file, self._options.photos)
            if is_rotated(photo.path):
                self._losses.add(ROTATED, photo.file)
            self.num_objects += len(photo.objects)
            yield photo
            self._options.report(number, len(self._photos))

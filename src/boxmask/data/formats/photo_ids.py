"""Ids of photos in label files that number them."""

from __future__ import annotations

from itertools import count

from boxmask.data.formats.contract import PhotoToWrite


class PhotoIds:
    """Gives each photo an id of its own."""

    def __init__(self) -> None:
        self._free, self._used = count(1), set[int]()

    def next_id(self, photo: PhotoToWrite) -> int:
        """The id that the photo had, or the next free one if it had none or another photo has it."""
        if photo.image_id is None or photo.image_id in self._used:
            photo_id = next(number for number in self._free if number not in self._used)
        else:
            photo_id = photo.image_id
        self._used.add(photo_id)
        return photo_id

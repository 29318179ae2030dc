"""Convert a data set: read and check its labels, write them in another format, and place the photos."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from boxmask.data.conversion.labeled_photos import LabeledPhotos
from boxmask.data.conversion.output_folder import check_output_folder, new_folder
from boxmask.data.conversion.photo_files import PhotoMode, place_photo
from boxmask.data.conversion.report import Conversion, write_report
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.detection.read import read_checked_labels
from boxmask.data.formats.contract import Losses, PhotoLabels, Writer
from boxmask.data.formats.table import WRITERS
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_list import PhotoList
from boxmask.data.split_file import apply_split_file
from boxmask.errors import UsageError
from boxmask.options import check_choice, option
from boxmask.photos.size import is_rotated

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each photo with the number of photos done and of all photos."""

_ROTATED = (
    "labels are written for the photo as shown, after its EXIF rotation; programs that ignore it draw them "
    "in the wrong place"
)


def convert(
    data: Path,
    to: str,
    out: Path,
    *,
    photos: PhotoMode = "copy",
    split_file: Path | None = None,
    on_bad_boxes: OnBadBoxes | None = None,
    on_bad_photos: OnBadPhotos = "error",
    progress: Progress | None = None,
) -> Conversion:
    """Write the labels of a data set in another format into the folder `out`, with `conversion.txt`.

    `boxmask convert --help` describes the options. Nothing is left if it fails.
    Raises LabelError and PhotoError as `read_detection` does, UsageError, and OutputError.
    """
    check_choice("photos", photos, PhotoMode)
    writer = find_writer(to)
    check_output_folder(out, data)

    def select(listed: PhotoList) -> PhotoList:
        return apply_split_file(listed, split_file, on_bad_photos) if split_file else listed

    checked = read_checked_labels(data, on_bad_boxes, on_bad_photos, select=select)
    check_output_folder(out, checked.labels.root)
    job = _Job(LabeledPhotos.of(checked), writer, photos, progress or (lambda done, total: None))
    notes = checked.labels.notes + checked.photos.notes
    with new_folder(out) as folder:
        job.write(folder)
        conversion = Conversion(out, to, len(job.photos), job.num_objects, job.listed_losses(), notes)
        write_report(conversion, data, _remarks(photos), folder)
    return conversion


def find_writer(name: str) -> Writer:
    """The writer of a format. Raises UsageError, which lists all formats, for a name that is not known."""
    writers = {writer.NAME: writer for writer in WRITERS}
    if name not in writers:
        similar = difflib.get_close_matches(name, writers, n=1)
        hint = f" Did you mean {similar[0]}?" if similar else ""
        raise UsageError(
            f'{option("to")}: expected one of {", ".join(sorted(writers))}, found "{name}".{hint}'
        )
    return writers[name]


class _Job:
    """Hands photos to a writer one by one, and places them in the folder."""

    def __init__(self, photos: LabeledPhotos, writer: Writer, mode: PhotoMode, progress: Progress) -> None:
        self.photos, self.losses, self.num_objects = photos, Losses(), 0
        self._writer, self._mode, self._progress = writer, mode, progress

    def write(self, folder: Path) -> None:
        """Write labels and photos into a folder."""
        self._writer.write(self._placed_photos(folder), self.photos.class_names, folder, self.losses)

    def listed_losses(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """All losses."""
        return tuple((what, tuple(files)) for what, files in self.losses)

    def _placed_photos(self, folder: Path) -> Iterator[PhotoLabels]:
        for number, photo in enumerate(self.photos):
            place_photo(photo.path, folder, self._writer.photo_file(photo.file, photo.split), self._mode)
            if is_rotated(photo.path):
                self.losses.add(_ROTATED, photo.file)
            self.num_objects += len(photo.objects)
            yield photo
            self._progress(number + 1, len(self.photos))


def _remarks(photos: PhotoMode) -> list[str]:
    if photos == "none":
        return ["Photos were not copied. Put them where the labels name them."]
    return ["The photos are links to the original ones."] if photos == "link" else []

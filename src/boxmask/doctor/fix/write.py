"""Write mended labels in the format that was read, and the diff to the labels as they were."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.formats import instance_maps, mask_images
from boxmask.data.formats.contract import ClassNames, Format, Losses, PhotoToWrite, Writer
from boxmask.data.formats.losses import note_unkept_elements
from boxmask.data.formats.table import WRITERS
from boxmask.data.photo_files import PhotoMode, place_photo
from boxmask.doctor.fix.layout import describe_moves
from boxmask.doctor.fix.line_diff import unified_diff
from boxmask.doctor.fix.mending import Mending
from boxmask.doctor.fix.photos_to_write import MendedPhotosToWrite
from boxmask.errors import UsageError
from boxmask.progress import Progress


def find_writer_of(form: Format) -> Writer:
    """The writer of a format that is read. Raises UsageError if it is not written."""
    if form is instance_maps:
        return mask_images.INSTANCE_MAP_WRITER
    written: object = getattr(form, "WRITER", None)
    for writer in WRITERS:
        if writer is written:
            return writer
    raise UsageError(
        f"--fix: boxmask does not write this format ({form.NAME}). Convert the labels first: "
        "boxmask convert DATA --to FORMAT --out DIR."
    )


@dataclass(frozen=True)
class LabelCopy:
    """Mended labels to write."""

    mending: Mending
    writer: Writer

    def write(self, folder: Path, photos: PhotoMode, progress: Progress) -> Losses:
        """Write labels and photos into a folder; returns what the format cannot hold."""
        losses, total = Losses(), len(self.mending.labels.photos)
        note_unkept_elements(self.mending.labels, losses)

        def placed() -> Iterator[PhotoToWrite]:
            for number, photo in enumerate(MendedPhotosToWrite(self.mending, is_mended=True), start=1):
                place_photo(photo.path, folder, self.writer.photo_file(photo.file, photo.split), photos)
                yield photo
                progress(number, total)

        self.writer.write(placed(), self._class_names, folder, losses)
        return losses

    def diff(self) -> Iterator[str]:
        """What is mended in the text of the label files, without anything else that writing changes."""
        with tempfile.TemporaryDirectory(prefix="boxmask-") as temporary:
            unmended, mended = Path(temporary, "unmended"), Path(temporary, "mended")
            for is_mended, target in ((False, unmended), (True, mended)):
                target.mkdir()
                photos = MendedPhotosToWrite(self.mending, is_mended=is_mended)
                self.writer.write(iter(photos), self._class_names, target, Losses())
            for name in sorted(_names(unmended) | _names(mended)):
                yield from _diff_files(unmended / name, mended / name, name)

    def remarks(self) -> Iterator[tuple[str, list[str]]]:
        """What else differs from the original: headings, each with its lines."""
        yield "Folders and names of photos in the copy:", list(describe_moves(self.mending, self.writer))

    @property
    def _class_names(self) -> ClassNames:
        labels = self.mending.labels
        return ClassNames.of(labels.class_names, labels.attributes.classes)


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _diff_files(before: Path, after: Path, name: str) -> Iterator[str]:
    """The diff of two files, of which one may be missing; one line for files that are no text."""
    contents = [path.read_bytes() if path.exists() else b"" for path in (before, after)]
    if contents[0] == contents[1]:
        return
    if any(b"\0" in content for content in contents):
        yield f"Binary files a/{name} and b/{name} differ"
        return
    lines = [content.decode("utf-8", "backslashreplace").split("\n") for content in contents]
    yield from unified_diff(lines[0], lines[1], name)

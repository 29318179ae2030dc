"""The options of a conversion."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from boxmask.data.class_selection import ALL_CLASSES, ClassSelection
from boxmask.data.detection.box_checks import OnBadBoxes
from boxmask.data.formats.contract import Writer
from boxmask.data.formats.table import WRITERS
from boxmask.data.photo_checks import OnBadPhotos
from boxmask.data.photo_files import PhotoMode
from boxmask.data.photo_list import PhotoList
from boxmask.data.segmentation.label_maps import OnUnknownColors
from boxmask.data.split_file import apply_split_file
from boxmask.errors import UsageError
from boxmask.options import check_choices, option
from boxmask.progress import Progress


@dataclass(frozen=True)
class ConversionOptions:
    """See `boxmask convert --help`. Raises UsageError for a value that an option does not have."""

    photos: PhotoMode = "copy"
    split_file: Path | None = None
    on_bad_boxes: OnBadBoxes | None = None
    on_bad_photos: OnBadPhotos = "error"
    classes_file: Path | None = None
    on_unknown_colors: OnUnknownColors = "error"
    selection: ClassSelection = ALL_CLASSES
    progress: Progress | None = None

    def __post_init__(self) -> None:
        check_choices(ConversionOptions, vars(self))

    def select(self, photos: PhotoList) -> PhotoList:
        """Give photos the splits of the split file, if there is one."""
        return apply_split_file(photos, self.split_file, self.on_bad_photos) if self.split_file else photos

    def report(self, done: int, total: int) -> None:
        """Call `progress`, if there is one."""
        if self.progress is not None:
            self.progress(done, total)

    def remarks(self) -> list[str]:
        """Sentences about the photos of the folder that is written."""
        if self.photos == "none":
            return ["Photos were not copied. Put them where the labels name them."]
        return ["The photos are links to the original ones."] if self.photos == "link" else []


def find_writer(name: str) -> Writer:
    """The writer of a format; upper and lower case are the same. Raises UsageError for other names."""
    writers = {writer.NAME: writer for writer in WRITERS}
    if name.lower() not in writers:
        similar = difflib.get_close_matches(name.lower(), writers, n=1)
        hint = f" Did you mean {similar[0]}?" if similar else ""
        known = ", ".join(sorted(writers))
        raise UsageError(f'{option("to")}: expected one of {known}, found "{name}".{hint}')
    return writers[name.lower()]

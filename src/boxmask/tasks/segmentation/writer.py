"""Writing the label maps of many photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxmask.results.formats import LABEL_MAPS, draws_pictures, output_files
from boxmask.results.label_maps import CLASSES_FILE, check_writable_names, save_classes_file
from boxmask.results.segmentation import (
    DEFAULT_SEGMENTATION_FORMATS,
    check_segmentation_formats,
    write_segmentation,
)
from boxmask.types import SegmentationMap
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.style import RGBImage


class SegmentationWriter:
    """See `ResultWriter`. Only the class shares of each label map are kept: the maps would fill the memory.

    formats: None: pictures and label maps

    Raises UsageError for formats that a label map cannot be written in, and for class names that the classes
    file of label maps cannot hold.
    """

    def __init__(self, out: Path, formats: tuple[str, ...] | None, class_names: tuple[str, ...]) -> None:
        self.formats = DEFAULT_SEGMENTATION_FORMATS if formats is None else formats
        check_segmentation_formats(self.formats)
        if LABEL_MAPS in self.formats:
            check_writable_names(class_names, out / CLASSES_FILE)
        self.out, self.class_names = out, class_names
        self.results: list[dict[str, float]] = []
        self._has_classes_file = False

    def files(self, name: str, result: SegmentationMap | None = None) -> list[Path]:
        """The files of one photo."""
        return list(output_files(name, self.formats, self.out).values())

    def shared_files(self) -> list[Path]:
        """The classes file, if label maps are among the formats."""
        return [self.out / CLASSES_FILE] if LABEL_MAPS in self.formats else []

    def write(self, name: str, photo: Path, pixels: RGBImage, result: SegmentationMap) -> None:
        """Write the files of one photo, and the classes file with the first."""
        self._write_classes_file()
        for output_format, file in output_files(name, self.formats, self.out).items():
            write_segmentation(output_format, file, pixels, result)
        self.results.append(result.shares())

    def restore(self, photo: Path, entry: dict[str, Any]) -> None:
        """Take the class shares of a photo whose files are written."""
        self.results.append({str(name): float(share) for name, share in entry["shares"].items()})

    def last_entry(self) -> dict[str, Any]:
        """The last class shares, as JSON can hold them."""
        return {"shares": self.results[-1]}

    def finish(self) -> list[Path]:
        """Write the classes file, unless that was done along with the first label map."""
        if not self.results:
            return []
        self._write_classes_file()
        return self.shared_files()

    def _write_classes_file(self) -> None:
        if not self._has_classes_file:
            for file in self.shared_files():
                save_classes_file(self.class_names, file)
            self._has_classes_file = True

    def summary(self) -> str:
        """Always empty."""
        return ""

    def notes(self) -> tuple[str, ...]:
        """Remarks on class names that cannot be drawn."""
        return notes_on_fonts(self.class_names) if draws_pictures(self.formats) else ()

    def remarks(self) -> tuple[str, ...]:
        """Always empty."""
        return ()

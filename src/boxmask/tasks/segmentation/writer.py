"""Writing the label maps of many photos."""

from __future__ import annotations

from pathlib import Path

from boxmask.results.formats import LABEL_MAPS, output_files
from boxmask.results.label_maps import CLASSES_FILE
from boxmask.results.segmentation import (
    DEFAULT_SEGMENTATION_FORMATS,
    check_segmentation_formats,
    write_segmentation,
)
from boxmask.types import SegmentationMap
from boxmask.visualization.style import RGBImage


class SegmentationWriter:
    """See `ResultWriter`. Only the class shares of each label map are kept: the maps would fill the memory.

    formats: None: pictures and label maps
    """

    def __init__(self, out: Path, formats: tuple[str, ...] | None) -> None:
        self.formats = DEFAULT_SEGMENTATION_FORMATS if formats is None else formats
        check_segmentation_formats(self.formats)
        self.out = out
        self.results: list[dict[str, float]] = []

    def files(self, name: str) -> list[Path]:
        """The files of one photo."""
        return list(output_files(name, self.formats, self.out).values())

    def write(self, name: str, photo: Path, pixels: RGBImage, result: SegmentationMap) -> None:
        """Write the files of one photo."""
        for output_format, file in output_files(name, self.formats, self.out).items():
            write_segmentation(output_format, file, pixels, result)
        self.results.append(result.shares())

    def finish(self) -> list[Path]:
        """The classes file, which is written along with the label maps."""
        return [self.out / CLASSES_FILE] if LABEL_MAPS in self.formats and self.results else []

    def summary(self) -> str:
        """Always empty."""
        return ""

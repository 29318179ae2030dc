"""Writing the detections of many photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from boxmask.errors import OutputError
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.results.coco import save_coco
from boxmask.results.crops import crop_files, save_crops
from boxmask.results.csv_table import save_detection_table
from boxmask.results.detections import DEFAULT_DETECTION_FORMATS, check_detection_formats, write_detections
from boxmask.results.entries import detections_entry, detections_from_entry
from boxmask.results.formats import CROPS, PARQUET, draws_pictures, output_files
from boxmask.results.min_score import MinScore, at_least, check_min_scores, describe
from boxmask.results.nothing_found import note_on_nothing_found
from boxmask.results.parquet import save_parquet
from boxmask.results.yolo import CLASSES_FILE, check_one_line_names, save_class_list
from boxmask.types import Detections
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.style import RGBImage

COCO_FILE = "detections.json"
CSV_FILE = "detections.csv"
PARQUET_FILE = "detections.parquet"
_SHARED_FILES = {"coco": COCO_FILE, "csv": CSV_FILE, PARQUET: PARQUET_FILE, "yolo": CLASSES_FILE}


class DetectionWriter:
    """See `ResultWriter`.

    formats:     None: pictures and COCO
    min_score:   files of one photo leave out lower scores; the files of all photos hold all
    masks:       whether the detector finds masks
    class_names: those of the detector; notes report characters that no font has
    """

    def __init__(
        self,
        out: Path,
        formats: tuple[str, ...] | None,
        min_score: MinScore,
        *,
        masks: bool,
        class_names: tuple[str, ...] = (),
    ) -> None:
        self.formats = DEFAULT_DETECTION_FORMATS if formats is None else formats
        check_detection_formats(self.formats, masks=masks)
        if "yolo" in self.formats:
            check_one_line_names(class_names, out / CLASSES_FILE)
        check_min_scores(min_score, option("min_score"))
        self.out, self.min_score, self.masks, self.class_names = out, min_score, masks, class_names
        self.photos: list[Path] = []
        self.results: list[Detections] = []

    def files(self, name: str, result: Detections | None = None) -> list[Path]:
        """The files of one photo; with its detections, also the file of each object."""
        files = list(output_files(name, self.formats, self.out).values())
        return files if result is None else files + self._crop_files(name, at_least(result, self.min_score))

    def shared_files(self) -> list[Path]:
        """The files of all photos in these formats: COCO's, the tables, and YOLO's list of classes."""
        return [self.out / file for name, file in _SHARED_FILES.items() if name in self.formats]

    def write(self, name: str, photo: Path, pixels: RGBImage, result: Detections) -> None:
        """Write the files of one photo. Raises OutputError for boxes or scores that are NaN or infinite."""
        if not (np.isfinite(result.boxes).all() and np.isfinite(result.scores).all()):
            raise OutputError(
                f"{photo}: the model found boxes or scores that are NaN or infinite. Train again."
            )
        shown = at_least(result, self.min_score)
        for output_format, file in output_files(name, self.formats, self.out).items():
            write_detections(output_format, file, photo, pixels, shown)
        if crops := self._crop_files(name, shown):
            save_crops(pixels, shown, crops)
        self._add(photo, result)

    def restore(self, photo: Path, entry: dict[str, Any]) -> None:
        """Take the detections of a photo whose files are written."""
        self._add(photo, detections_from_entry(entry, self.class_names))

    def last_entry(self) -> dict[str, Any]:
        """The last detections, as JSON can hold them."""
        return detections_entry(self.results[-1])

    def finish(self) -> list[Path]:
        """Write the files of all photos."""
        if "coco" in self.formats:
            save_coco(self.photos, self.results, self.out / COCO_FILE)
        if "csv" in self.formats:
            save_detection_table(self.photos, self.results, self.out / CSV_FILE)
        if PARQUET in self.formats:
            save_parquet(self.photos, self.results, self.out / PARQUET_FILE, masks=self.masks)
        if "yolo" in self.formats:
            save_class_list(self.class_names, self.out / CLASSES_FILE)
        return self.shared_files()

    def summary(self) -> str:
        """The number of objects."""
        count = sum(len(at_least(result, self.min_score)) for result in self.results)
        return f"{format_count(count, 'object')} with {describe(self.min_score)}"

    def notes(self) -> tuple[str, ...]:
        """Remarks on class names that cannot be drawn."""
        return notes_on_fonts(self.class_names) if draws_pictures(self.formats) else ()

    def remarks(self) -> tuple[str, ...]:
        """What to try if no photo has an object with the minimum score."""
        return note_on_nothing_found(self.results, self.min_score)

    def _crop_files(self, name: str, shown: Detections) -> list[Path]:
        return crop_files(name, shown, self.out) if CROPS in self.formats else []

    def _add(self, photo: Path, result: Detections) -> None:
        self.photos.append(photo)
        self.results.append(result)

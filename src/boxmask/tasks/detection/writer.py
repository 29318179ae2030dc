"""Writing the detections of many photos."""

from __future__ import annotations

from pathlib import Path

from boxmask.errors import OutputError
from boxmask.messages import format_count
from boxmask.options import option
from boxmask.results.coco import save_coco
from boxmask.results.csv_table import save_detection_table
from boxmask.results.detections import DEFAULT_DETECTION_FORMATS, check_detection_formats, write_detections
from boxmask.results.formats import draws_pictures, output_files
from boxmask.results.yolo import CLASSES_FILE, check_one_line_names, save_class_list
from boxmask.types import Detections
from boxmask.types.checks import check_min_score
from boxmask.visualization.fonts import notes_on_fonts
from boxmask.visualization.style import RGBImage

COCO_FILE = "detections.json"
CSV_FILE = "detections.csv"
_SHARED_FILES = {"coco": COCO_FILE, "csv": CSV_FILE, "yolo": CLASSES_FILE}


class DetectionWriter:
    """See `ResultWriter`.

    formats:     None: pictures and COCO
    min_score:   files of one photo leave out lower scores; the COCO file and the table hold all
    masks:       whether the detector finds masks
    class_names: those of the detector; notes report characters that no font has
    """

    def __init__(
        self,
        out: Path,
        formats: tuple[str, ...] | None,
        min_score: float,
        *,
        masks: bool,
        class_names: tuple[str, ...] = (),
    ) -> None:
        self.formats = DEFAULT_DETECTION_FORMATS if formats is None else formats
        check_detection_formats(self.formats, masks=masks)
        if "yolo" in self.formats:
            check_one_line_names(class_names, out / CLASSES_FILE)
        check_min_score(min_score, option("min_score"))
        self.out, self.min_score, self.class_names = out, min_score, class_names
        self.photos: list[Path] = []
        self.results: list[Detections] = []

    def files(self, name: str) -> list[Path]:
        """The files of one photo."""
        return list(output_files(name, self.formats, self.out).values())

    def shared_files(self) -> list[Path]:
        """The files of all photos in these formats: COCO's, the table, and YOLO's list of classes."""
        return [self.out / file for name, file in _SHARED_FILES.items() if name in self.formats]

    def write(self, name: str, photo: Path, pixels: RGBImage, result: Detections) -> None:
        """Write the files of one photo. Raises OutputError for boxes or scores that are NaN or infinite."""
        if not (result.boxes.isfinite().all() and result.scores.isfinite().all()):
            raise OutputError(
                f"{photo}: the model found boxes or scores that are NaN or infinite. Train again."
            )
        for output_format, file in output_files(name, self.formats, self.out).items():
            write_detections(output_format, file, photo, pixels, result, self.min_score)
        self.photos.append(photo)
        self.results.append(result)

    def finish(self) -> list[Path]:
        """Write the files of all photos."""
        if "coco" in self.formats:
            save_coco(self.photos, self.results, self.out / COCO_FILE)
        if "csv" in self.formats:
            save_detection_table(self.photos, self.results, self.out / CSV_FILE)
        if "yolo" in self.formats:
            save_class_list(self.class_names, self.out / CLASSES_FILE)
        return self.shared_files()

    def summary(self) -> str:
        """The number of objects."""
        count = sum(len(result.filter(min_score=self.min_score)) for result in self.results)
        return f"{format_count(count, 'object')} with a score of {self.min_score:g} or more"

    def notes(self) -> tuple[str, ...]:
        """Remarks on class names that cannot be drawn."""
        return notes_on_fonts(self.class_names) if draws_pictures(self.formats) else ()

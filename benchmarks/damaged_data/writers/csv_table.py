"""CSV as TensorFlow's object detection tutorials write it: a row per object."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from damaged_data.sample import Photo, Place, Sample
from damaged_data.text_files import Lines, text


class CsvTable:
    """train_labels.csv, images/train/x.jpg."""

    NAME = "csv"

    def photo_file(self, photo: Photo) -> str:
        return f"images/{photo.split}/{photo.file_name}"

    def write(self, sample: Sample, folder: Path) -> dict[object, Place]:
        places: dict[object, Place] = {}
        for split in ("train", "val", "test"):
            lines = Lines(f"{split}_labels.csv")
            lines.add("filename,width,height,class,xmin,ymin,xmax,ymax")
            for photo in sample.of_split(split):
                height, width = photo.label_size
                first = len(lines.lines) + 1
                for thing in photo.objects:
                    values = [photo.label_name, width, height, thing.name, *map(text, thing.box)]
                    lines.add(_row(values), thing)
                lines.mark(first, [photo])
            places |= lines.write(folder)
        return places


def _row(values: list[object]) -> str:
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(values)
    return row.getvalue()

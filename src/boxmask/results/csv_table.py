"""Write the detections of all photos as one table: TensorFlow's columns of labels, and the score."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.formats.csv_tables.write import HEADER, rows
from boxmask.results.photo_to_write import photo_to_write
from boxmask.results.table import save_table
from boxmask.types import Detections


def save_detection_table(photos: Sequence[Path], detections: Sequence[Detections], path: Path) -> None:
    """Write filename, width, height, class, xmin, ymin, xmax, ymax and score; one row per detection."""
    table = []
    for photo, in_photo in zip(photos, detections, strict=True):
        labels = photo_to_write(photo, in_photo)
        scores = [found.attributes["score"] for found in labels.objects]
        table += [[*row, score] for row, score in zip(rows(labels, photo.as_posix()), scores, strict=True)]
    columns = (*HEADER, "score")
    save_table({name: [row[index] for row in table] for index, name in enumerate(columns)}, path)

"""Write detections as YOLO text, one file per photo: class, box or polygon, and score.

This is the form of Ultralytics' `save_txt` with `save_conf`. Numbers are fractions of the photo. The names of
the classes are in classes.txt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxmask.data.formats.contract import Losses
from boxmask.data.formats.yolo.write import object_line
from boxmask.errors import UsageError
from boxmask.outputs import write_output
from boxmask.results.photo_to_write import photo_to_write
from boxmask.types import Detections

CLASSES_FILE = "yolo/classes.txt"


def save_yolo(photo: Path, detections: Detections, path: Path) -> None:
    """Write the detections of one photo. A mask becomes a polygon along the edges of its pixels."""
    labels = photo_to_write(photo, detections, masks=True)
    numbers = detections.labels.tolist()
    lines = [
        f"{object_line(number, found, labels, Losses())} {found.attributes['score']}\n"
        for number, found in zip(numbers, labels.objects, strict=True)
    ]
    with write_output(path) as temporary:
        temporary.write_text("".join(lines), encoding="ascii", newline="\n")


def check_one_line_names(class_names: Sequence[str], path: Path) -> None:
    """Raise UsageError for a name that a list of names, one per line, cannot hold."""
    for name in class_names:
        if [name] != name.splitlines() or name != name.strip():
            raise UsageError(
                f"{path}: the class name {name!r} cannot be written to a list of names, one per line. "
                "Rename it and train again."
            )


def save_class_list(class_names: Sequence[str], path: Path) -> None:
    """Write one name per line, in the order of the labels. Raises as `check_one_line_names` does."""
    check_one_line_names(class_names, path)
    with write_output(path) as temporary:
        text = "".join(f"{name}\n" for name in class_names)
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")

"""Write detections as Pascal VOC XML, one file per photo, with a <score> per object, without masks."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.formats.contract import Losses
from boxmask.data.formats.voc.write import annotation_text
from boxmask.errors import LabelError, OutputError
from boxmask.outputs import write_output
from boxmask.outputs.marks import mark_xml
from boxmask.results.photo_to_write import photo_to_write
from boxmask.types import Detections


def save_voc(photo: Path, detections: Detections, path: Path) -> None:
    """Write the detections of one photo, marked in a comment as a result of boxmask.

    The mark is void once the file is corrected. Raises OutputError for names that XML cannot hold.
    """
    try:
        text = annotation_text(photo_to_write(photo, detections), photo.parent.name, Losses())
    except LabelError as error:
        raise OutputError(f"{path}: cannot be written: {error}") from error
    with write_output(path) as temporary:
        temporary.write_text(mark_xml(text), encoding="utf-8", newline="\n")

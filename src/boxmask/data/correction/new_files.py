"""Label files for photos that have none yet."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from boxmask.data.correction.correct import PhotoPlace
from boxmask.data.formats import coco, labelme, voc, yolo
from boxmask.data.formats.contract import Format, Losses, PhotoToWrite
from boxmask.data.formats.json_writing import json_line
from boxmask.data.formats.labelme.document import labelme_document
from boxmask.data.formats.voc.write import annotation_text
from boxmask.errors import LabelError

_SUFFIXES: tuple[tuple[Format, str], ...] = ((yolo, ".txt"), (voc, ".xml"), (labelme, ".json"))


def new_label_file(form: Format, photo: str, labeled: Iterable[tuple[str, str]]) -> str:
    """Where the label file of a photo belongs: beside those of other photos of its folder.

    labeled: other photos with their label files; all paths are relative to the data set, with "/"

    Without such photos, YOLO's "images" becomes "labels"; others lie beside the photo. Raises LabelError for
    formats with one file for many photos.
    """
    suffix = next((suffix for known, suffix in _SUFFIXES if known is form), None)
    if suffix is None:
        name = "the images of a COCO file" if form is coco else "the label file"
        raise LabelError(f"{photo} is not among {name}. Add it there first, then read the data set again.")
    folder, stem = posixpath.dirname(photo), posixpath.splitext(posixpath.basename(photo))[0]
    for other, label_file in labeled:
        if posixpath.dirname(other) == folder:
            return posixpath.join(posixpath.dirname(label_file), stem + suffix)
    parts = folder.split("/")
    if form is yolo and "images" in parts:
        last = len(parts) - 1 - parts[::-1].index("images")
        folder = "/".join([*parts[:last], "labels", *parts[last + 1 :]])
    return posixpath.join(folder, stem + suffix)


def empty_labels(place: PhotoPlace, photo: Path) -> bytes:
    """The content of a label file without objects, which is then corrected."""
    if place.form is yolo:
        return b""
    if place.form is voc:
        to_write = PhotoToWrite(photo, photo.name, place.size, "", ())
        return annotation_text(to_write, photo.parent.name, Losses()).encode()
    relative = Path(posixpath.relpath(photo.as_posix(), place.file.parent.as_posix())).as_posix()
    document = labelme_document(relative, place.size, [])
    lines = [f"  {json_line(key)}: {json_line(value)}" for key, value in document.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

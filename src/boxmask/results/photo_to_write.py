"""Detections as the objects that the writers of label formats take."""

from __future__ import annotations

from pathlib import Path

from boxmask.data.formats.contract import ObjectToWrite, PhotoToWrite
from boxmask.data.outlines import RunLengths
from boxmask.geometry import rle
from boxmask.results.short_floats import shortest
from boxmask.types import Detections


def photo_to_write(photo: Path, detections: Detections, *, masks: bool = False) -> PhotoToWrite:
    """The detections of one photo, with their scores as an attribute.

    masks: whether masks are kept, for formats that hold them
    """
    outlines: list[RunLengths | None] = [None] * len(detections)
    if masks and detections.masks is not None:
        runs = rle.encode(detections.masks)
        known = detections.masks.known.tolist()
        outlines = [
            RunLengths(counts, detections.size) if is_known else None
            for counts, is_known in zip(runs, known, strict=True)
        ]
    rows = zip(detections.names, detections.boxes, detections.scores, outlines, strict=True)
    objects = []
    for name, box, score, outline in rows:
        x1, y1, x2, y2 = map(shortest, box)
        objects.append(ObjectToWrite(name, (x1, y1, x2, y2), outline, attributes={"score": shortest(score)}))
    return PhotoToWrite(photo, photo.name, detections.size, "", tuple(objects))

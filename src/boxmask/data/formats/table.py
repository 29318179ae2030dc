"""The tables of label formats: those that are read, and those that are written."""

from __future__ import annotations

from boxmask.data.formats import (
    class_folders,
    coco,
    createml,
    csv_tables,
    cvat,
    instance_maps,
    label_studio,
    labelme,
    mask_images,
    via,
    voc,
    yolo,
)
from boxmask.data.formats.contract import Format, Writer

FORMATS: tuple[tuple[Format, ...], ...] = (
    (voc, coco, yolo, labelme, via, cvat, createml, label_studio),
    (csv_tables,),
    (instance_maps,),
)
"""Formats to look for, group by group: a group is only looked for if none of the earlier ones matches.

Tables come later, because many data sets carry them beside their label files. Instance maps are in the last
group, because the folder "labels" may also hold photos.
"""

WRITERS: tuple[Writer, ...] = (
    class_folders.WRITER,
    coco.WRITER,
    createml.WRITER,
    csv_tables.WRITER,
    cvat.WRITER,
    label_studio.WRITER,
    labelme.WRITER,
    mask_images.INSTANCE_MAP_WRITER,
    mask_images.LABEL_MAP_WRITER,
    via.CSV_WRITER,
    via.WRITER,
    voc.WRITER,
    yolo.WRITER,
)
"""The formats that `boxmask convert` writes."""

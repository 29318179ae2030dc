"""boxmask convert DATA --to FORMAT --out DIR: write labels in another format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from boxmask.cli.classes import ChosenClasses, RenamedClasses
from boxmask.cli.imports import quick_imports


def convert(
    data: Path,
    /,
    *,
    to: str,
    out: Path,
    photos: Literal["copy", "link", "none"] = "copy",
    split_file: Path | None = None,
    on_bad_boxes: Literal["error", "skip"] | None = None,
    on_bad_photos: Literal["error", "skip"] = "error",
    classes: ChosenClasses = None,
    map: RenamedClasses = (),
    classes_file: Path | None = None,
    on_unknown_colors: Literal["error", "skip"] = "error",
) -> None:
    """Write labels in another format, with their photos.

    The new folder holds a complete data set. What the format cannot hold is listed in its conversion.txt.

    Parameters
    ----------
    data
        Folder, archive or label file, as for training.
    to
        The format to write: class-folders, coco, createml, csv, cvat, instance-maps, label-maps,
        label-studio, labelme, via, via-csv, voc or yolo.
    out
        The folder to write. It must not exist, be empty, or hold an earlier conversion that was not changed.
    photos
        What to do with the photos. They are never encoded again. Links are hard links if the disk has them.
        "none" writes labels only.
    split_file
        JSON file that names the photos of each split, such as the split.json of a run. Default: the splits
        of the data set.
    on_bad_boxes
        What to do with boxes that are empty or outside their photo, and with outlines that cannot be read.
        Default: skip them if they are under 1 % of all, else stop. "skip" also leaves out points and lines.
    on_bad_photos
        What to do with photos that are missing or damaged, or that the split file does not name.
    classes
        Classes to write, by name, for example --classes cat dog. Photos without them stay. Default: all.
    map
        Other names for classes, as OLD=NEW. Classes with the same new name are merged.
    classes_file
        Label maps only. File that names the class of each color or index. Default: the one in the data set.
    on_unknown_colors
        Label maps only. What to do with colors that the classes file does not name. "skip" ignores their
        pixels.
    """
    from boxmask.cli.output import print_notes
    from boxmask.cli.progress import photo_progress

    with quick_imports():
        from boxmask.data.class_selection import ClassSelection
        from boxmask.data.conversion.convert import convert as convert_labels
        from boxmask.data.conversion.report import REPORT_FILE
    from boxmask.messages import format_count, shorten_note

    with photo_progress("converting") as progress:
        conversion = convert_labels(
            data,
            to,
            out,
            photos=photos,
            split_file=split_file,
            on_bad_boxes=on_bad_boxes,
            on_bad_photos=on_bad_photos,
            classes_file=classes_file,
            on_unknown_colors=on_unknown_colors,
            selection=ClassSelection(classes, map),
            progress=progress,
        )
    print_notes(conversion.notes)
    for loss in conversion.loss_notes():
        print(f"not written as in the original: {shorten_note(loss, out / REPORT_FILE)}", file=sys.stderr)
    photos_read = format_count(conversion.num_photos, "photo")
    print(f"read: {photos_read}, {format_count(conversion.num_objects, 'object')}", file=sys.stderr)
    print(out)

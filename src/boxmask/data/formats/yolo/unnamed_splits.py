"""Folders with labeled photos that data.yaml names in no split."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.source import Source
from boxmask.data.formats.yolo.definition import Definition
from boxmask.data.formats.yolo.files import holds_labels
from boxmask.data.formats.yolo.kinds import SPLIT_UNNAMED
from boxmask.data.formats.yolo.pairs import count_lines, exact_pairs
from boxmask.data.formats.yolo.splits import SplitPhotos
from boxmask.data.split_words import split_from_path
from boxmask.messages import format_count


def report_unnamed_splits(
    source: Source,
    definition: Definition,
    splits: SplitPhotos,
    unused: Sequence[str],
    findings: Findings,
) -> set[str]:
    """Add the folders whose labeled photos are in no split, with the line that names them.

    unused: label files that belong to no photo of a split

    Returns the label files of these photos. Nothing is added if a split has no folder or list, which may be
    the cause and is reported by `report_absent_splits`.
    """
    is_yaml = definition.file.lower().endswith((".yaml", ".yml"))
    if not (is_yaml and splits.splits) or splits.absent:
        return set()
    label_of = exact_pairs((photo for photo in source.photos if photo not in splits.splits), unused)
    photos_in: dict[str, list[str]] = {}
    for photo in sorted(label_of):
        photos_in.setdefault(posixpath.dirname(photo), []).append(photo)
    reported = set[str]()
    for folder, photos in photos_in.items():
        labels = [label_of[photo] for photo in photos]
        if not holds_labels(source.root, labels[:3]):
            continue
        reported.update(labels)
        count = sum(count_lines(source.root / label) for label in labels)
        detail = f"{folder or '.'}: {format_count(len(photos), 'photo')} with labels in no split"
        detail += f"; to use them, {_advice(folder, definition, splits)}"
        location = Location(str(source.root / definition.file))
        findings.add(Finding(SPLIT_UNNAMED, location, detail, photos[0], num_left_out=count))
    return reported


def _advice(folder: str, definition: Definition, splits: SplitPhotos) -> str:
    """What to write into the file: a line, or a folder beside those of its split."""
    split, path = split_from_path(f"{folder}/x") or "", _as_written(folder, definition, splits)
    if not split:
        return f"add {path} to train, val or test"
    if any(named.split == split for named in definition.splits):
        return f"add {path} to {split}"
    return f"add the line {split}: {path}"


def _as_written(folder: str, definition: Definition, splits: SplitPhotos) -> str:
    """The path of a folder in the style of the others, such as ../test/images."""
    named = [split.path for split in definition.splits if not split.path.lower().endswith(".txt")]
    for path, found in zip(named, splits.folders, strict=True):
        beginning = path.rstrip("/").removesuffix(found)
        if found and path.rstrip("/").endswith(found) and (not beginning or beginning.endswith("/")):
            return beginning + folder
    return folder or "."

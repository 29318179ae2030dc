"""YOLO labels: one text file per photo, with a data.yaml, darknet's obj.data, or a file of class names.

Redmon et al., "You Only Look Once", arXiv:1506.02640, and the formats of darknet and Ultralytics: each line
is a class number and a box or a polygon in fractions of the photo (see `lines.py`). A photo without a label
file shows no object.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from boxmask.data.findings import Finding, Findings, Location, finding_of_error
from boxmask.data.formats.kinds import FILE_UNREADABLE, FILE_UNUSED
from boxmask.data.formats.labels import Labels
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source
from boxmask.data.formats.yolo.class_numbers import NamesByNumber
from boxmask.data.formats.yolo.definition import (
    Definition,
    read_darknet_definition,
    read_definition,
    read_names_files,
)
from boxmask.data.formats.yolo.files import YoloFiles, broken_definitions, find_yolo_files, holds_labels
from boxmask.data.formats.yolo.kinds import KEYPOINTS_UNUSED
from boxmask.data.formats.yolo.lines import LabelLines
from boxmask.data.formats.yolo.objects import make_labels
from boxmask.data.formats.yolo.pairs import find_pairs, lie_as_labels
from boxmask.data.formats.yolo.paths import PathFinder
from boxmask.data.formats.yolo.photos import list_photos
from boxmask.data.formats.yolo.splits import find_split_photos, report_absent_splits, split_paths_of_lists
from boxmask.data.formats.yolo.unnamed_splits import report_unnamed_splits
from boxmask.errors import LabelError
from boxmask.messages import format_count

NAME = "YOLO (text files with data.yaml or classes.txt)"


def recognize(source: Source) -> list[str]:
    """data.yaml and the like, and the label files; none if no file certainly holds YOLO labels."""
    files = find_yolo_files(source)
    is_chosen = source.candidates == files.definitions[:1]  # read it, or say why it cannot be read
    if not is_chosen and not holds_labels(source.root, files.labels):
        return []
    return [*files.descriptions, *files.labels]


def recognize_by_place(source: Source) -> list[str]:
    """The same files, if they only lie where YOLO labels lie: all of them may be empty or damaged.

    This is no certain sign, so look for other formats first.
    """
    files = find_yolo_files(source)
    return [*files.descriptions, *files.labels] if lie_as_labels(source.photos, files.labels) else []


def unreadable(source: Source) -> list[str]:
    """A message on each data.yaml that cannot be read."""
    return broken_definitions(source)


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read the description of the data set, pair photos with label files, and read these.

    Raises LabelError if the folder holds several data sets, or if data.yaml lies apart from its photos.
    """
    found, finder = find_yolo_files(source), PhotoFinder(source)
    definition = _definition(source, found, findings)
    _check_inside(source, definition, found)
    splits = find_split_photos(source, definition, finder, findings)
    photos = splits.splits or dict.fromkeys(source.photos, "")
    texts = [file for file in found.labels if file not in set(splits.lists)]
    pairs = find_pairs(source.root, photos, texts, splits.folders, finder, findings)
    report_absent_splits(source, splits, pairs.unused, findings)
    unnamed = report_unnamed_splits(source, definition, splits, pairs.unused, findings)
    labeled = list_photos(source, splits, pairs, findings)
    lines = LabelLines(definition.keypoint_numbers)
    for index, (_, label) in enumerate(labeled):
        if label:
            lines.read(f"{source.root}/{label}", index, findings)
    unused = [file for file in pairs.unused if file not in unnamed]
    _report_unused(source, definition, unused, lines, findings)
    names = _names(source, definition, found, findings)
    labels = make_labels(source.root, labeled, lines.arrays(), names, findings)
    others = (*found.descriptions, *splits.lists, *pairs.unused)
    return replace(labels, other_files=others, did_you_mean=finder.did_you_mean)


def read_class_numbers(source: Source) -> tuple[NamesByNumber, int]:
    """The names by class number, and the numbers per line beyond the box: those of keypoints.

    Raises LabelError as `read` does.
    """
    found, findings = find_yolo_files(source), Findings()
    definition = _definition(source, found, findings)
    return _names(source, definition, found, findings), definition.keypoint_numbers


# ---------------------------------------------------------------- the description


def _definition(source: Source, found: YoloFiles, findings: Findings) -> Definition:
    """The description to use; lists such as train.txt name the splits if no description does."""
    definition = Definition()
    if found.definitions:
        _check_one_data_set(source, found.definitions)
        first, *others = found.definitions
        definition = _read_definition(source, first, findings)
        for file in others:
            detail = f"{first} describes the data set"
            findings.add(Finding(FILE_UNUSED, Location(str(source.root / file)), detail))
    if not definition.splits:
        return replace(definition, splits=split_paths_of_lists(source, found.lists))
    return definition


def _read_definition(source: Source, file: str, findings: Findings) -> Definition:
    if not file.lower().endswith(".data"):
        return read_definition(source.root, file, findings)
    try:
        return read_darknet_definition(source.root, file)
    except LabelError as error:
        findings.add(finding_of_error(FILE_UNREADABLE, source.root / file, error))
        return Definition()


def _check_one_data_set(source: Source, definitions: Sequence[str]) -> None:
    """Raise LabelError if several folders on one level hold a description each."""
    first = definitions[0]
    folders = {posixpath.dirname(file) for file in definitions if file.count("/") == first.count("/")}
    if len(folders) > 1:
        found = " and ".join(sorted(definitions)[:2])
        raise LabelError.in_file(source.root, f"several data sets ({found}). Give the folder of one.")


def _check_inside(source: Source, definition: Definition, found: YoloFiles) -> None:
    """Raise LabelError for a data.yaml without any labels beside it, whose photos lie elsewhere."""
    if definition.file and not found.labels:
        paths = ", ".join(split.path for split in definition.splits[:3]) or "no photos"
        inside = f"It names {paths}" + (f" in {definition.folder}" if definition.folder else "")
        raise LabelError.in_file(
            source.root / definition.file,
            f"no label files in the folder of this file. {inside}; files "
            "outside the folder are not read. Give the folder that holds both, or move this file there.",
        )


def _names(source: Source, definition: Definition, found: YoloFiles, findings: Findings) -> NamesByNumber:
    """The names of all classes, from data.yaml or from files with names."""
    if definition.names is not None:
        return NamesByNumber(definition.names, definition.file)
    folders = [posixpath.dirname(definition.file), ""]
    named = definition.names_file and PathFinder(source).find_file(definition.names_file, folders)
    files = read_names_files(source.root, [named] if named else list(found.names), findings)
    if files.by_folder:
        return NamesByNumber(None, files=files)
    return NamesByNumber(None, definition.file, num_unnamed=definition.num_classes or 0)


# ---------------------------------------------------------------- what is not used


def _report_unused(
    source: Source, definition: Definition, unused: Sequence[str], lines: LabelLines, findings: Findings
) -> None:
    """Report text files that are no labels, and keypoints."""
    for file in unused:
        findings.add(Finding(FILE_UNUSED, Location(str(source.root / file)), "not beside labels or photos"))
    if lines.num_keypoint_lines:
        location = Location(str(source.root / definition.file), definition.keypoint_line, "kpt_shape")
        detail = format_count(lines.num_keypoint_lines, "line") + " with keypoints"
        findings.add(Finding(KEYPOINTS_UNUSED, location, detail))

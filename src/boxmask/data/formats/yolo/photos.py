"""The photos of a YOLO data set: with labels, without, and missing ones that labels or lists name."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import PHOTO_WITHOUT_LABEL
from boxmask.data.formats.labels import PhotoEntry
from boxmask.data.formats.photo_finder import path_of_missing
from boxmask.data.formats.source import Source
from boxmask.data.formats.yolo.pairs import Pairs
from boxmask.data.formats.yolo.splits import SplitPhotos
from boxmask.data.split_words import split_from_path


def list_photos(
    source: Source, splits: SplitPhotos, pairs: Pairs, findings: Findings
) -> list[tuple[PhotoEntry, str]]:
    """Each photo with its label file, "" if it has none. Photos without one become notes.

    Without splits that name photos, those in folders with labeled photos are listed.
    """
    root = str(source.root)  # joining paths is slow
    listed = []
    for photo in sorted(_chosen(source, splits.splits, pairs) - pairs.left_out):
        label = pairs.label_of.get(photo, "")
        if not label:
            findings.add(Finding(PHOTO_WITHOUT_LABEL, Location(f"{root}/{photo}"), photo=photo))
        split = splits.splits.get(photo) if splits.splits else _split_of_folders(photo, label)
        location = Location(f"{root}/{label or photo}")
        listed.append((PhotoEntry(photo, location, split=split, is_labeled=bool(label)), label))
    return [*listed, *_missing(source, splits, pairs)]


def _chosen(source: Source, splits: Mapping[str, str], pairs: Pairs) -> set[str]:
    if splits:
        return {*splits, *pairs.label_of}
    if len(source.candidates) == 1 and source.candidates != source.files:  # one label file was chosen
        return set(pairs.label_of)
    folders = {posixpath.dirname(photo) for photo in pairs.label_of}
    return {photo for photo in source.photos if posixpath.dirname(photo) in folders}


def _split_of_folders(*files: str) -> str | None:
    folders = [posixpath.dirname(file) for file in files if file]
    return next((split for folder in folders if (split := split_from_path(folder))), None)


def _missing(source: Source, splits: SplitPhotos, pairs: Pairs) -> list[tuple[PhotoEntry, str]]:
    """Photos that do not exist, with their label file if they have one."""
    orphan_of = {_stem(label): label for label in reversed(pairs.orphans)}
    listed = []
    for name, split, location in splits.missing:
        label = orphan_of.pop(_stem(name), "")
        path, is_labeled = path_of_missing(name), bool(label)
        photo = PhotoEntry(path, location, split=split or None, missing_name=name, is_labeled=is_labeled)
        listed.append((photo, label))
    used = {label for _, label in listed}
    for label in pairs.orphans:
        if label not in used:
            location = Location(str(source.root / label))
            file, in_split = path_of_missing(posixpath.splitext(label)[0]), _split_of_folders(label)
            listed.append((PhotoEntry(file, location, split=in_split, missing_name=_stem(label)), label))
    return listed


def _stem(path: str) -> str:
    return posixpath.splitext(posixpath.basename(path.replace("\\", "/")))[0]

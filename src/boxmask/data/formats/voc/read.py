"""Pascal VOC: one XML file per photo, in folders of any name.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, and its development kit: the
top left pixel has the coordinates (1, 1), and a box includes its last pixel (VOCevaldet.m computes its width
as xmax − xmin + 1). In continuous edges, x1 = xmin − 1, y1 = ymin − 1, x2 = xmax, y2 = ymax; Detectron2 reads
them alike. Fractions move in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from boxmask.data.class_names import notes_on_class_names
from boxmask.data.findings import Findings, Location
from boxmask.data.formats.labels import LabeledPhoto, Labels, note_on_unlabeled_photos
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.source import Source, split_from_path
from boxmask.data.formats.voc.photos import find_voc_photos
from boxmask.data.formats.voc.splits import (
    ListedName,
    ListedPhotos,
    check_same_splits,
    match_lists,
    read_splits,
)
from boxmask.data.formats.voc.xml_file import VocFile, read_voc_file
from boxmask.data.formats.xml_tree import read_xml
from boxmask.data.text import read_beginning, read_text
from boxmask.errors import LabelError
from boxmask.messages import format_errors, format_note
from boxmask.names import class_name

NAME = "Pascal VOC (a folder with one XML file per photo)"

_PROLOG = r"\s*(?>(?:<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*(?:\[(?>.*?\]))?\s*>)\s*)*"
_ANNOTATION = re.compile(r"<annotation[\s/>]")  # not CVAT's <annotations>
_ROOT = re.compile(rf"{_PROLOG}<(?P<root>[^\s/>!?]+)[\s/>]", re.DOTALL)


def recognize(source: Source) -> list[str]:
    """The XML files that are, or may be, VOC annotations; none if no file certainly is one."""
    roots = {file: _root(source, file) for file in source.candidates_with_suffix(".xml")}
    files = [file for file, root in roots.items() if root in ("annotation", "")]
    return files if "annotation" in roots.values() else []


def unreadable(source: Source) -> list[str]:
    """A message on each XML file that cannot be read and so may be one of VOC."""
    errors = []
    for file in source.candidates_with_suffix(".xml"):
        if not _root(source, file):
            try:
                read_xml(source.root / file)
            except LabelError as error:
                errors.append(str(error))
    return errors


def _root(source: Source, file: str) -> str:
    """The tag of the root element, or of an <annotation> inside another one; "" if there is none.

    Only the beginning of the file is read, if it shows the tag.
    """
    path = source.root / file
    try:
        beginning = read_beginning(path, 1024)
        if _ANNOTATION.search(beginning):
            return "annotation"
        found = _ROOT.match(beginning) or _ROOT.match(read_text(path).content)
    except LabelError:
        return ""
    return found["root"] if found else ""


def read(source: Source, files: Sequence[str], findings: Findings) -> Labels:
    """Read annotation files, and find their photos and splits.

    Raises LabelError, with file and line, for broken XML, for objects without class or box, and for photos
    that have several annotation files.
    """
    voc_files = _read_files(source, files)
    finder = PhotoFinder(source)
    photos, missing, notes = find_voc_photos(voc_files, finder, source.root)
    names = read_splits(source)
    label_files = {file.file: photo for file, photo in zip(voc_files, photos, strict=True)}
    listed = match_lists(names, photos, label_files) if names else None
    labeled = [
        replace(_labeled_photo(source, file, photo, listed), missing_name=missing.get(file.file, ""))
        for file, photo in zip(voc_files, photos, strict=True)
    ]
    empty = _listed_photos_without_file(listed.unmatched, finder) if listed else []
    known = [*photos, *(photo.file for photo in empty)]
    notes += listed.notes if listed else ()
    notes += note_on_unlabeled_photos(source, known, "without a label file")
    others = [f"{source.root / file.file} {file.note}" for file in voc_files if file.note]
    notes += format_note("label files in another encoding", others)
    labels = _labels(source, voc_files, [*labeled, *empty], notes)
    lists = tuple(file for file in source.files if "ImageSets/" in file)
    return replace(labels, other_files=lists, did_you_mean=finder.did_you_mean)


def _read_files(source: Source, files: Sequence[str]) -> list[VocFile]:
    voc_files, errors = [], []
    for file in files:
        try:
            voc_files.append(read_voc_file(source.root, file))
        except LabelError as error:
            errors.append(str(error))
    if errors:
        remedy = "Correct these files or remove them."
        raise LabelError(format_errors("Label files that cannot be read", errors, remedy))
    return voc_files


# ---------------------------------------------------------------- splits


def _labeled_photo(source: Source, file: VocFile, photo: str, listed: ListedPhotos | None) -> LabeledPhoto:
    location = Location(str(source.root / file.file), file.line)
    if listed is None:
        return LabeledPhoto(photo, location, file.declared_size, _split_from_folders(file.file, photo))
    entry = listed.entries.get(photo)
    return LabeledPhoto(photo, location, file.declared_size, entry.split if entry else None)


def _split_from_folders(*files: str) -> str | None:
    """The split that a folder of the label file or of the photo names."""
    folders = [PurePosixPath(file).parent.as_posix() for file in files]
    return next((split for folder in folders if (split := split_from_path(folder))), None)


def _listed_photos_without_file(names: Sequence[ListedName], finder: PhotoFinder) -> list[LabeledPhoto]:
    """Photos in a split list but without an annotation file: they show no object.

    Raises LabelError for a photo in two splits.
    """
    photos: dict[str, ListedName] = {}
    missing, pairs = [], []
    for entry in sorted(names, key=lambda entry: entry.name):
        match = finder.find(entry.name, entry.file)
        if match is None:
            missing.append(entry)
        else:
            pairs.append((photos.setdefault(match.file, entry), entry))
    check_same_splits(pairs)
    return [
        *(LabeledPhoto(photo, entry.location, split=entry.split) for photo, entry in photos.items()),
        *(
            LabeledPhoto(
                path_of_missing(entry.name), entry.location, split=entry.split, missing_name=entry.name
            )
            for entry in missing
        ),
    ]


# ---------------------------------------------------------------- objects


def _labels(
    source: Source, voc_files: Sequence[VocFile], photos: list[LabeledPhoto], notes: tuple[str, ...]
) -> Labels:
    """The objects of all files as rows of arrays."""
    objects = [(photo, object_) for photo, file in enumerate(voc_files) for object_ in file.objects]
    names = sorted({class_name(object_.name) for _, object_ in objects})
    label_of = {name: label for label, name in enumerate(names)}

    def location(row: int) -> Location:
        photo, object_ = objects[row]
        return Location(str(source.root / voc_files[photo].file), object_.line)

    corners = np.array([object_.corners for _, object_ in objects], dtype=np.float64).reshape(-1, 4)
    return Labels(
        root=source.root,
        class_names=tuple(names),
        photos=photos,
        photo_of=np.array([photo for photo, _ in objects], dtype=np.int64),
        boxes=corners - (1, 1, 0, 0),
        extents=corners[:, 2:] - corners[:, :2],
        labels=np.array([label_of[class_name(object_.name)] for _, object_ in objects], dtype=np.int64),
        areas=np.full(len(objects), np.nan),
        crowd=np.zeros(len(objects), dtype=bool),
        difficult=np.array([object_.difficult for _, object_ in objects], dtype=bool),
        location=location,
        box_form="voc",
        notes=notes + notes_on_class_names(object_.name for _, object_ in objects),
    )

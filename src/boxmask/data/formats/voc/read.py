"""Pascal VOC: one XML file per photo, in folders of any name.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, and its development kit: the
top left pixel has the coordinates (1, 1), and a box includes its last pixel (VOCevaldet.m computes its width
as xmax − xmin + 1). In continuous edges, x1 = xmin − 1, y1 = ymin − 1, x2 = xmax, y2 = ymax; Detectron2 reads
them alike. Fractions move in the same way.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from boxmask.data.findings import Finding, Findings, Location
from boxmask.data.formats.kinds import ENCODING_GUESSED, PHOTO_AMBIGUOUS
from boxmask.data.formats.labels import Labels, PhotoEntry
from boxmask.data.formats.openings import XML_PROLOG
from boxmask.data.formats.photo_finder import PhotoFinder, path_of_missing
from boxmask.data.formats.source import Source
from boxmask.data.formats.voc.annotation import VocHeader
from boxmask.data.formats.voc.masks import mask_reader
from boxmask.data.formats.voc.photos import VocPhoto, find_voc_photos
from boxmask.data.formats.voc.rows import VocRows
from boxmask.data.formats.voc.splits import (
    ListedName,
    ListedPhotos,
    check_same_split,
    match_lists,
    read_splits,
)
from boxmask.data.formats.voc.xml_file import read_voc_file
from boxmask.data.formats.xml_tree import read_xml
from boxmask.data.split_words import split_from_path
from boxmask.data.text import read_beginning, read_text
from boxmask.errors import LabelError

NAME = "Pascal VOC (a folder with one XML file per photo)"

_ANNOTATION = re.compile(r"<annotation[\s/>]")  # not CVAT's <annotations>
_ROOT = re.compile(rf"{XML_PROLOG}<(?P<root>[^\s/>!?]+)[\s/>]", re.DOTALL)


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
    """Read label files, and find their photos and splits."""
    entries, of_photos = Findings(findings.max_per_kind), Findings(findings.max_per_kind)
    headers, rows = _read_files(source, files, entries)
    finder = PhotoFinder(source)
    photo_of = find_voc_photos(headers, finder, source.root, of_photos)
    left_out = {str(source.root / file.file): file.file for file in headers if file.file not in photo_of}
    findings.add_from(of_photos, lambda finding: _with_objects(finding, left_out, rows))
    findings.add_from(entries, lambda finding: _with_photo(finding, photo_of))
    names = read_splits(source, findings)
    label_files = {file: photo.file for file, photo in photo_of.items()}
    listed = match_lists(names, label_files.values(), findings, label_files) if names else None
    kept = [file for file in headers if file.file in photo_of]
    photos = [_photo_entry(source, file, photo_of[file.file], listed) for file in kept]
    photos += _listed_photos_without_file(listed.unmatched, finder, findings) if listed else []
    labels = rows.labels(source, [file.file for file in kept], photos)
    outline = mask_reader(source, [file.file for file in kept], labels)
    lists = tuple(file for file in source.files if "ImageSets/" in file)
    unkept = Counter(tag for file in kept for tag in file.unkept)
    return replace(
        labels, outline=outline, other_files=lists, unkept=unkept, did_you_mean=finder.did_you_mean
    )


def _with_photo(finding: Finding, photo_of: Mapping[str, VocPhoto]) -> Finding:
    """The finding with its photo in place of its label file."""
    photo = photo_of.get(finding.photo)
    return replace(finding, photo=photo.file if photo else "")


def _with_objects(finding: Finding, left_out: Mapping[str, str], rows: VocRows) -> Finding:
    """The finding with the number of objects in its label file, if it is left out."""
    file = left_out.get(finding.location.file)
    return finding if file is None else replace(finding, num_left_out=rows.num_objects(file))


def _read_files(source: Source, files: Sequence[str], findings: Findings) -> tuple[list[VocHeader], VocRows]:
    """What all files say about their photos, and their objects."""
    headers, rows = [], VocRows()
    for file in files:
        found = read_voc_file(source.root, file, findings)
        if found is None:
            continue
        headers.append(found.header)
        rows.add(file, found.objects)
        if found.note:
            location = Location(str(source.root / file))
            findings.add(Finding(ENCODING_GUESSED, location, found.note, file))
    return headers, rows


# ---------------------------------------------------------------- splits


def _photo_entry(source: Source, file: VocHeader, photo: VocPhoto, listed: ListedPhotos | None) -> PhotoEntry:
    location = Location(str(source.root / file.file), file.line)
    if listed is None:
        split = _split_from_folders(file.file, photo.file)
    else:
        entry = listed.entries.get(photo.file)
        split = entry.split if entry else None
    return PhotoEntry(photo.file, location, file.declared_size, split, missing_name=photo.missing_name)


def _split_from_folders(*files: str) -> str | None:
    """The split that a folder of the label file or of the photo names."""
    folders = [posixpath.dirname(file) or "." for file in files]
    return next((split for folder in folders if (split := split_from_path(folder))), None)


def _listed_photos_without_file(
    names: Sequence[ListedName], finder: PhotoFinder, findings: Findings
) -> list[PhotoEntry]:
    """Photos in a split list but without a label file: they show no object."""
    photos: dict[str, ListedName] = {}
    missing = []
    for entry in sorted(names, key=lambda entry: entry.name):
        try:
            match = finder.find(entry.name, entry.file)
        except LabelError as error:
            findings.add(Finding(PHOTO_AMBIGUOUS, entry.location, error.reason))
            continue
        if match is None:
            missing.append(entry)
        else:
            check_same_split(photos.setdefault(match.file, entry), entry, match.file, findings)
    return [
        *(
            PhotoEntry(photo, entry.location, split=entry.split, is_labeled=False)
            for photo, entry in photos.items()
        ),
        *(
            PhotoEntry(
                path_of_missing(entry.name),
                entry.location,
                split=entry.split,
                missing_name=entry.name,
                is_labeled=False,
            )
            for entry in missing
        ),
    ]

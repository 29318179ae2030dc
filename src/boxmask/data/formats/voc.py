"""Pascal VOC: one XML file per photo, in folders of any name.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, and its development kit: the
top left pixel has the coordinates (1, 1), and a box includes its last pixel (VOCevaldet.m computes its width
as xmax − xmin + 1). In continuous edges, x1 = xmin − 1, y1 = ymin − 1, x2 = xmax, y2 = ymax; Detectron2 reads
them alike. Fractions move in the same way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from boxmask.data.formats.labels import LabeledPhoto, Labels, note_on_unlabeled_photos
from boxmask.data.formats.photo_finder import PhotoFinder
from boxmask.data.formats.source import Source, split_from_path
from boxmask.data.formats.voc_splits import SplitEntry, read_splits
from boxmask.data.formats.voc_xml import VocFile, read_voc_file
from boxmask.data.messages import format_errors, format_note
from boxmask.errors import LabelError

NAME = "Pascal VOC (a folder with one XML file per photo)"

_ROOT = re.compile(rb"<annotation[\s/>]")  # not CVAT's <annotations>


def recognize(source: Source) -> list[str]:
    """The XML files that begin like those of VOC."""
    return [file for file in source.candidates_with_suffix(".xml") if _begins_like_voc(source, file)]


def _begins_like_voc(source: Source, file: str) -> bool:
    with (source.root / file).open("rb") as stream:
        return _ROOT.search(stream.read(1024)) is not None


def read(source: Source, files: Sequence[str]) -> Labels:
    """Read annotation files, and find their photos and splits.

    Raises LabelError, with file and line, for broken XML, for objects without class or box, and for photos
    that are missing or have several annotation files.
    """
    voc_files = _read_files(source, files)
    finder = PhotoFinder(source)
    photos = _find_photos(voc_files, finder, source)
    splits = read_splits(source)
    labeled = [
        _labeled_photo(source, file, photo, splits) for file, photo in zip(voc_files, photos, strict=True)
    ]
    empty = _listed_photos_without_file(labeled, voc_files, finder, splits)
    known = [*photos, *(photo.file for photo in empty)]
    notes = note_on_unlabeled_photos(source, known, "without a label file")
    others = [f"{source.root / file.file} {file.note}" for file in voc_files if file.note]
    notes += format_note("label files in another encoding", others)
    return _labels(source, voc_files, [*labeled, *empty], notes)


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


# ---------------------------------------------------------------- photos


def _find_photos(voc_files: Sequence[VocFile], finder: PhotoFinder, source: Source) -> list[str]:
    """The photo of each file. Raises LabelError for missing photos and for photos of several files."""
    files_of: dict[str, list[VocFile]] = defaultdict(list)
    missing, photos = [], []
    for file in voc_files:
        photo = _find_photo(file, finder)
        photos.append(photo or "")
        if photo is None:
            missing.append(f"{source.root / file.file}:{file.line}: {file.filename or file.stem}")
        else:
            files_of[photo].append(file)
    if missing:
        remedy = (
            "Put the photos beside their labels or in a folder such as images/, or remove these label files."
        )
        raise LabelError(format_errors("Labels name photos that do not exist", missing, remedy))
    _check_one_file_per_photo(files_of, source)
    return photos


def _find_photo(file: VocFile, finder: PhotoFinder) -> str | None:
    """The photo called <filename>; else one with the stem of <filename> or of the label file."""
    photo = None
    if file.filename:
        photo = finder.by_name(file.filename, file.file) or finder.by_stem(file.filename, file.file)
    return photo or finder.by_stem(file.file, file.file)


def _check_one_file_per_photo(files_of: dict[str, list[VocFile]], source: Source) -> None:
    errors = [
        f"{photo}: {' and '.join(f'{source.root / file.file}:{file.line}' for file in files[:3])}"
        for photo, files in files_of.items()
        if len(files) > 1
    ]
    if errors:
        remedy = "Correct their <filename>, or keep one label file per photo."
        raise LabelError(format_errors("Photos with several label files", errors, remedy))


def _labeled_photo(source: Source, file: VocFile, photo: str, splits: dict[str, SplitEntry]) -> LabeledPhoto:
    location = f"{source.root / file.file}:{file.line}"
    if not splits:
        return LabeledPhoto(photo, location, file.declared_size, _split_from_folders(file.file, photo))
    entry = splits.get(file.stem) or splits.get(PurePosixPath(photo).stem)
    return LabeledPhoto(photo, location, file.declared_size, entry.split if entry else None)


def _split_from_folders(*files: str) -> str | None:
    """The split that a folder of the label file or of the photo names."""
    folders = [PurePosixPath(file).parent.as_posix() for file in files]
    return next((split for folder in folders if (split := split_from_path(folder))), None)


def _listed_photos_without_file(
    labeled: Sequence[LabeledPhoto],
    voc_files: Sequence[VocFile],
    finder: PhotoFinder,
    splits: dict[str, SplitEntry],
) -> list[LabeledPhoto]:
    """Photos in a split file but without an annotation file: they show no object.

    Raises LabelError for a listed name without a photo.
    """
    described = {PurePosixPath(photo.file).stem for photo in labeled} | {file.stem for file in voc_files}
    empty, missing = [], []
    for name in sorted(splits.keys() - described):
        entry = splits[name]
        photo = finder.by_stem(f"{name}.jpg", entry.location)
        if photo is None:
            missing.append(f"{entry.location}: {name}")
        else:
            empty.append(LabeledPhoto(photo, entry.location, split=entry.split))
    if missing:
        remedy = "Add the photos and their label files, or remove these names from the split files."
        raise LabelError(format_errors("Split files name photos that do not exist", missing, remedy))
    return empty


# ---------------------------------------------------------------- objects


def _labels(
    source: Source, voc_files: Sequence[VocFile], photos: list[LabeledPhoto], notes: tuple[str, ...]
) -> Labels:
    """The objects of all files as rows of arrays."""
    objects = [(photo, object_) for photo, file in enumerate(voc_files) for object_ in file.objects]
    names = sorted({object_.name for _, object_ in objects})
    label_of = {name: label for label, name in enumerate(names)}

    def location(row: int) -> str:
        photo, object_ = objects[row]
        return f"{source.root / voc_files[photo].file}:{object_.line}"

    corners = np.array([object_.corners for _, object_ in objects], dtype=np.float64).reshape(-1, 4)
    return Labels(
        root=source.root,
        class_names=tuple(names),
        photos=photos,
        photo_of=np.array([photo for photo, _ in objects], dtype=np.int64),
        boxes=corners - (1, 1, 0, 0),
        extents=corners[:, 2:] - corners[:, :2],
        labels=np.array([label_of[object_.name] for _, object_ in objects], dtype=np.int64),
        areas=np.full(len(objects), np.nan),
        crowd=np.zeros(len(objects), dtype=bool),
        difficult=np.array([object_.difficult for _, object_ in objects], dtype=bool),
        location=location,
        notes=notes,
    )

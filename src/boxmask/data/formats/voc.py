"""Pascal VOC: one XML file a photo, in whatever folders.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, and its development kit, in
which the top-left pixel has coordinates (1, 1) and a box includes its last pixel (VOCevaldet.m takes its
width as xmax − xmin + 1). In continuous edges: x1 = xmin − 1, y1 = ymin − 1, x2 = xmax, y2 = ymax, as
Detectron2 reads it too. Fractions are moved the same way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from boxmask.data.formats.find_photo import PhotoFinder
from boxmask.data.formats.labels import LabeledPhoto, Labels, left_out_photos
from boxmask.data.formats.source import Source, split_in_path
from boxmask.data.formats.voc_splits import Listed, read_splits
from boxmask.data.formats.voc_xml import VocFile, read_voc_file
from boxmask.data.messages import format_errors
from boxmask.errors import LabelError

NAME = "Pascal VOC (a folder with an XML file for each photo)"

_ROOT = re.compile(rb"<annotation[\s/>]")  # not CVAT's <annotations>


def recognize(source: Source) -> list[str]:
    """The XML files that begin like VOC's."""
    return [file for file in source.chosen_with(".xml") if _begins_like_voc(source, file)]


def _begins_like_voc(source: Source, file: str) -> bool:
    with (source.root / file).open("rb") as stream:
        return _ROOT.search(stream.read(1024)) is not None


def read(source: Source, files: Sequence[str]) -> Labels:
    """Read the sheets, and find their photos and splits.

    Raises LabelError, with file and line, for broken XML, an object without class or box, and a photo that
    is missing or that two sheets mean.
    """
    sheets = _read_sheets(source, files)
    finder = PhotoFinder(source)
    photos = _photos_of(sheets, finder, source)
    lists = read_splits(source)
    labeled = [_labeled(source, *pair, lists) for pair in zip(sheets, photos, strict=True)]
    bare = _without_sheet(labeled, sheets, finder, lists)
    rest = left_out_photos(source, [*photos, *(photo.file for photo in bare)], "have no label file")
    return _rows(source, sheets, [*labeled, *bare], rest)


def _read_sheets(source: Source, files: Sequence[str]) -> list[VocFile]:
    sheets, faults = [], []
    for file in files:
        try:
            sheets.append(read_voc_file(source.root, file))
        except LabelError as fault:
            faults.append(str(fault))
    if faults:
        raise LabelError(
            format_errors("Label files that cannot be read", faults, "Mend these files or remove them.")
        )
    return sheets


def _photos_of(sheets: Sequence[VocFile], finder: PhotoFinder, source: Source) -> list[str]:
    """The photo of each sheet: by its <filename>, else by that or the sheet's own stem, with any ending."""
    sheets_of: dict[str, list[VocFile]] = defaultdict(list)
    missing, photos = [], []
    for sheet in sheets:
        photo = _photo_of(sheet, finder)
        photos.append(photo or "")
        if photo is None:
            missing.append(f"{source.root / sheet.file}:{sheet.line}: {sheet.filename or sheet.stem}")
        else:
            sheets_of[photo].append(sheet)
    if missing:
        remedy = (
            "Put the photos beside their labels or in a folder such as images/, or remove these label files."
        )
        raise LabelError(format_errors("Labels name photos that are not there", missing, remedy))
    _refuse_shared(sheets_of, source)
    return photos


def _photo_of(sheet: VocFile, finder: PhotoFinder) -> str | None:
    named = sheet.filename and (
        finder.named(sheet.filename, sheet.file) or finder.with_stem(sheet.filename, sheet.file)
    )
    return named or finder.with_stem(sheet.file, sheet.file)


def _refuse_shared(sheets_of: dict[str, list[VocFile]], source: Source) -> None:
    places = [
        f"{photo}: {' and '.join(f'{source.root / sheet.file}:{sheet.line}' for sheet in sheets[:3])}"
        for photo, sheets in sheets_of.items()
        if len(sheets) > 1
    ]
    if places:
        remedy = "Correct their <filename>, or keep one label file for each photo."
        raise LabelError(format_errors("Photos that several label files mean", places, remedy))


def _labeled(source: Source, sheet: VocFile, photo: str, lists: dict[str, Listed]) -> LabeledPhoto:
    place = f"{source.root / sheet.file}:{sheet.line}"
    if not lists:
        return LabeledPhoto(photo, place, sheet.declared, _split_by_folder(sheet.file, photo))
    listed = lists.get(sheet.stem) or lists.get(PurePosixPath(photo).stem)
    return LabeledPhoto(photo, place, sheet.declared, listed.split if listed else None)


def _split_by_folder(*files: str) -> str | None:
    """The split after which a folder of the sheet or of its photo is named."""
    folders = [PurePosixPath(file).parent.as_posix() for file in files]
    return next((split for folder in folders if (split := split_in_path(folder))), None)


def _without_sheet(
    labeled: Sequence[LabeledPhoto], sheets: Sequence[VocFile], finder: PhotoFinder, lists: dict[str, Listed]
) -> list[LabeledPhoto]:
    """Photos that a split file lists but no sheet describes: they show no object.

    Raises LabelError for a listed name that has no photo either.
    """
    described = {PurePosixPath(photo.file).stem for photo in labeled} | {sheet.stem for sheet in sheets}
    bare, missing = [], []
    for name in sorted(lists.keys() - described):
        split, place = lists[name].split, lists[name].place
        photo = finder.with_stem(f"{name}.jpg", place)
        if photo is None:
            missing.append(f"{place}: {name}")
        else:
            bare.append(LabeledPhoto(photo, place, split=split))
    if missing:
        remedy = "Add the photos and their label files, or take these names out of the split files."
        raise LabelError(format_errors("Split files name photos that are not there", missing, remedy))
    return bare


def _rows(
    source: Source, sheets: Sequence[VocFile], photos: list[LabeledPhoto], notes: tuple[str, ...]
) -> Labels:
    """Lay the objects of all sheets in one row of arrays."""
    objects = [(photo, object_) for photo, sheet in enumerate(sheets) for object_ in sheet.objects]
    names = sorted({object_.name for _, object_ in objects})
    number = {name: label for label, name in enumerate(names)}

    def place(row: int) -> str:
        photo, object_ = objects[row]
        return f"{source.root / sheets[photo].file}:{object_.line}"

    corners = np.array([object_.corners for _, object_ in objects], dtype=np.float64).reshape(-1, 4)
    return Labels(
        root=source.root,
        class_names=tuple(names),
        photos=photos,
        photo=np.array([photo for photo, _ in objects], dtype=np.int64),
        boxes=corners - (1, 1, 0, 0),
        extents=corners[:, 2:] - corners[:, :2],
        labels=np.array([number[object_.name] for _, object_ in objects], dtype=np.int64),
        areas=np.full(len(objects), np.nan),
        crowd=np.zeros(len(objects), dtype=bool),
        difficult=np.array([object_.difficult for _, object_ in objects], dtype=bool),
        place=place,
        notes=notes,
    )

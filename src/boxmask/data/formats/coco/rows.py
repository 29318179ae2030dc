"""The annotations of all COCO files of a data set, as rows of arrays."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from boxmask.data.findings import Findings, Location
from boxmask.data.formats.coco.areas import check_areas
from boxmask.data.formats.coco.categories import category_attributes, label_of_category
from boxmask.data.formats.coco.document import CocoDocument
from boxmask.data.formats.coco.outlines import largest_area, outline_reader
from boxmask.data.formats.labels import Attributes, Labels, PhotoEntry
from boxmask.data.formats.source import Source

_READ = {"id", "image_id", "category_id", "bbox", "segmentation", "iscrowd", "area", "ignore"}
_READ_OF_IMAGES = {"id", "file_name", "height", "width"}


@dataclass(frozen=True, slots=True)
class FileRows:
    """The photos and annotations of one file.

    photos:      by the index of their image
    image_of:    the index of the image of each annotation; -1 for an unknown one
    category_of: the index of the category of each annotation; -1 for an unknown one
    """

    document: CocoDocument
    photos: Mapping[int, PhotoEntry]
    image_of: Sequence[int]
    category_of: Sequence[int]

    def kept(self) -> Int[np.ndarray, " M"]:
        """The annotations of known photos and categories."""
        pairs = zip(self.image_of, self.category_of, strict=True)
        photos = self.photos
        rows = [row for row, (image, category) in enumerate(pairs) if image in photos and category >= 0]
        return np.array(rows, dtype=np.int64)


def labels_of_files(
    source: Source, files: Sequence[FileRows], names: tuple[str, ...], findings: Findings
) -> Labels:
    """The photos and annotations of all files. Wrong areas are added to the findings."""
    parts = [_Part(file, names, findings) for file in files]
    starts = list(accumulate((len(part.indices) for part in parts), initial=0))
    photo_starts = list(accumulate((len(file.photos) for file in files), initial=0))

    def location(row: int) -> Location:
        number = bisect_right(starts, row) - 1
        return parts[number].location(row - starts[number])

    xywh = np.concatenate([np.zeros((0, 4)), *(part.boxes_xywh for part in parts)])
    photo_of = [part.photo_of + start for part, start in zip(parts, photo_starts, strict=False)]
    return Labels(
        root=source.root,
        class_names=names,
        photos=[photo for file in files for photo in file.photos.values()],
        photo_of=_joined(photo_of),
        boxes=np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1),
        extents=xywh[:, 2:],
        labels=_joined([part.labels for part in parts]),
        areas=np.concatenate([np.zeros(0), *(part.areas for part in parts)]),
        crowd=_joined([part.crowd for part in parts]).astype(bool),
        difficult=_joined([part.ignored for part in parts]).astype(bool),
        location=location,
        box_form="xywh",
        attributes=_attributes(files, parts, starts, photo_starts),
        outline=outline_reader([item for part in parts for item in part.segmentations], location, findings),
    )


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


class _Part:
    """The kept annotations of one file as arrays. The columns of the document are not kept."""

    def __init__(self, file: FileRows, names: Sequence[str], findings: Findings) -> None:
        self.entries = file.document.entries
        kept = file.kept()
        annotations = file.document.annotations
        photo_index = {image: number for number, image in enumerate(file.photos)}
        label_of = label_of_category(file.document, names)
        self.indices = np.array(annotations.indices, dtype=np.int64)[kept]
        rows = kept.tolist()
        self.photo_of = np.array([photo_index[file.image_of[row]] for row in rows], dtype=np.int64)
        self.labels = np.array([label_of[file.category_of[row]] for row in rows], dtype=np.int64)
        self.boxes_xywh: Float[np.ndarray, "M 4"] = annotations.boxes_xywh()[kept]
        self.crowd = np.array(annotations.crowd, dtype=np.int64)[kept]
        self.ignored = np.array(annotations.ignored, dtype=np.int64)[kept]
        self.segmentations = [annotations.segmentations[row] for row in rows]
        declared = np.array(annotations.areas, dtype=np.float64)[kept]
        self.areas = check_areas(declared, self.boxes_xywh, self._outline_area, self.location, findings)

    def _outline_area(self, row: int) -> float:
        return largest_area(self.segmentations[row])

    def location(self, row: int) -> Location:
        """Of one of the kept annotations."""
        return self.entries.location("annotations", int(self.indices[row]))


# ---------------------------------------------------------------- attributes


def _attributes(
    files: Sequence[FileRows], parts: Sequence[_Part], starts: Sequence[int], photo_starts: Sequence[int]
) -> Attributes:
    return Attributes(
        objects=_ObjectAttributes(parts, starts),
        photos=_PhotoAttributes(files, photo_starts),
        classes=category_attributes([file.document for file in files]),
    )


class _ObjectAttributes(Mapping[int, Mapping[str, object]]):
    """What each annotation says beside what is read, decoded when it is asked for."""

    def __init__(self, parts: Sequence[_Part], starts: Sequence[int]) -> None:
        self._parts = parts
        self._starts = starts

    def __getitem__(self, row: int) -> Mapping[str, object]:
        if not 0 <= row < len(self):
            raise KeyError(row)
        number = bisect_right(self._starts, row) - 1
        part, row_of_part = self._parts[number], row - self._starts[number]
        entry = part.entries.entry("annotations", int(part.indices[row_of_part]))
        fields = entry if isinstance(entry, dict) else {}
        return {key: value for key, value in fields.items() if key not in _READ}

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return self._starts[-1]


class _PhotoAttributes(Mapping[int, Mapping[str, object]]):
    """What each image says beside what is read."""

    def __init__(self, files: Sequence[FileRows], starts: Sequence[int]) -> None:
        self._images = [file.document.images[index] for file in files for index in file.photos]
        self._count = starts[-1]

    def __getitem__(self, photo: int) -> Mapping[str, object]:
        if not 0 <= photo < self._count:
            raise KeyError(photo)
        fields = self._images[photo]
        return {key: value for key, value in fields.items() if key not in _READ_OF_IMAGES}

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._count))

    def __len__(self) -> int:
        return self._count

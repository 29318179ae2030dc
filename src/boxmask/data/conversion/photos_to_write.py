"""The labels of a data set, photo by photo, as writers take them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from boxmask.data.conversion.photo_names import names_of_photos
from boxmask.data.detection.checked_labels import CheckedLabels
from boxmask.data.formats.contract import ClassNames, ObjectToWrite, PhotoToWrite
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.data.outlines import Outline, RunLengths
from boxmask.masks import Size
from boxmask.messages import format_note


@dataclass(frozen=True)
class PhotosToWrite:
    """The chosen photos of a data set, sorted by name. Iterating makes their labels one by one.

    index_of: index of each chosen photo in the labels
    names:    of the photos in the data set that is written
    rows:     the good objects of each photo of the labels
    """

    checked: CheckedLabels
    index_of: list[int]
    names: list[str]
    rows: RowsByPhoto

    @staticmethod
    def of(checked: CheckedLabels) -> PhotosToWrite:
        """From labels that are read and checked."""
        labels, chosen = checked.labels, checked.photos
        by_file = {photo.file: index for index, photo in enumerate(labels.photos)}
        return PhotosToWrite(
            checked,
            index_of=[by_file[file] for file in chosen.files.tolist()],
            names=names_of_photos(chosen.files.tolist(), chosen.splits.tolist()),
            rows=RowsByPhoto(labels, checked.good),
        )

    def __len__(self) -> int:
        return len(self.index_of)

    def notes(self) -> tuple[str, ...]:
        """Remarks from reading the labels, and a note on photos that are renamed."""
        files = self.checked.photos.files.tolist()
        renamed = [
            f"{file} is {name}"
            for file, name in zip(files, self.names, strict=True)
            if posixpath.basename(file) != posixpath.basename(name)
        ]
        return (
            *self.checked.labels.notes,
            *self.checked.photos.notes,
            *format_note(
                "photos renamed, because label files could not tell them apart or name them", renamed
            ),
        )

    @property
    def class_names(self) -> ClassNames:
        """All classes, with their attributes."""
        return ClassNames.of(self.checked.labels.class_names, self.checked.labels.attributes.classes)

    def __iter__(self) -> Iterator[PhotoToWrite]:
        labels = self.checked.labels
        splits = self.checked.photos.splits.tolist()
        for index, name, split in zip(self.index_of, self.names, splits, strict=True):
            photo = labels.photos[index]
            height, width = self.checked.sizes[index].tolist()
            objects = [self._object(row, (height, width)) for row in self.rows.of(index).tolist()]
            yield PhotoToWrite(
                path=labels.root / photo.file,
                file=name,
                size=(height, width),
                split=split,
                objects=tuple(objects),
                attributes=labels.attributes.photos.get(index, {}),
                image_id=photo.image_id,
                is_labeled=photo.is_labeled,
            )

    def _object(self, row: int, size: Size) -> ObjectToWrite:
        return ObjectToWrite.of(self.checked.labels, row, self._outline(row, size))

    def _outline(self, row: int, size: Size) -> Outline | None:
        """The outline on the photo as shown; None for one that cannot be read, which the notes name."""
        outline, masks = self.checked.labels.outline, self.checked.masks
        if row in self.checked.bad_outlines:
            return None
        shape = None if outline is None else outline(row)
        if shape is not None and not isinstance(shape, RunLengths):
            height, width = self.checked.label_sizes[self.checked.labels.photo_of[row]].tolist()
            return shape if (height, width) == size else shape.scale((size[1] / width, size[0] / height))
        runs = masks.runs[masks.offsets[row] : masks.offsets[row + 1]]
        return RunLengths(runs, size) if len(runs) else None

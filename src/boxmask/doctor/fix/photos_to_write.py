"""Labels as they are, or as mended, photo by photo, as writers take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from boxmask.data.conversion.photo_names import names_of_photos
from boxmask.data.formats.coco.areas import AREA_WRONG
from boxmask.data.formats.contract import ObjectToWrite, PhotoToWrite
from boxmask.data.formats.rows_by_photo import RowsByPhoto
from boxmask.data.outlines import Outline, Polygons, RunLengths
from boxmask.doctor.fix.mending import Mending
from boxmask.geometry import rle
from boxmask.masks import Size


@dataclass(frozen=True)
class MendedPhotosToWrite:
    """The photos to write, sorted by name. Iterating makes their labels one by one.

    is_mended: False for the labels as they are. Objects that no format can hold are left out of both.
    """

    mending: Mending
    is_mended: bool

    def __iter__(self) -> Iterator[PhotoToWrite]:
        labels = self.mending.labels
        rows = RowsByPhoto(labels)
        sizes = self.mending.sizes if self.is_mended else self.mending.sizes_before
        for index, name in self.names():
            photo = labels.photos[index]
            height, width = sizes[index].tolist()
            objects = [self._object(row, (height, width)) for row in rows.of(index).tolist()]
            yield PhotoToWrite(
                path=labels.root / photo.file,
                file=name,
                size=(height, width),
                split=photo.split or "",
                objects=tuple(labeled for labeled in objects if labeled is not None),
                attributes=labels.attributes.photos.get(index, {}),
                image_id=photo.image_id,
                is_labeled=photo.is_labeled,
                size_known=self.mending.knows_size(index),
            )

    def names(self) -> list[tuple[int, str]]:
        """Index and name of each photo to write, sorted by name."""
        photos = self.mending.labels.photos
        files = self.mending.files if self.is_mended else [photo.file for photo in photos]
        indices = np.flatnonzero(self.mending.written).tolist()
        indices.sort(key=lambda index: photos[index].file)
        names = names_of_photos(
            [files[index] for index in indices], [photos[index].split or "" for index in indices]
        )
        return list(zip(indices, names, strict=True))

    def _object(self, row: int, size: Size) -> ObjectToWrite | None:
        """None for an object that is removed, or that has no finite box."""
        mending, labels = self.mending, self.mending.labels
        box = (labels.boxes if self.is_mended else mending.boxes_before)[row]
        if not np.isfinite(box).all() or (self.is_mended and not mending.kept[row]):
            return None
        x1, y1, x2, y2 = box.tolist()
        attributes = dict(labels.attributes.objects.get(row, {}))
        if self.is_mended and mending.has(AREA_WRONG):
            attributes.pop("area", None)  # the writer computes it
        labeled = ObjectToWrite.of(labels, row, self._outline(row, size))
        return replace(labeled, box=(x1, y1, x2, y2), attributes=attributes, number=row + 1)

    def _outline(self, row: int, size: Size) -> Outline | None:
        """The outline on a photo of (height, width); its mask if the outline cannot be read."""
        labels = self.mending.labels
        try:
            shape = None if labels.outline is None else labels.outline(row)
        except ValueError:  # reported with the outlines
            shape = None
        if shape is None or isinstance(shape, RunLengths):
            is_written_for_size = shape is not None and shape.size == size
            return shape if is_written_for_size else self._mask(row, size)
        return _mend_outline(shape, self.mending, row) if self.is_mended else shape

    def _mask(self, row: int, size: Size) -> RunLengths | None:
        """The mask, resized if the labels declare another size than the photo has."""
        masks, examination = self.mending.examination.masks, self.mending.examination
        runs = masks.run_lengths(row)
        if not len(runs):
            return None
        height, width = examination.sizes[self.mending.labels.photo_of[row]].tolist()
        if (height, width) == size:
            return RunLengths(runs, size)
        resized = rle.decode([runs.astype(np.int64)], (height, width)).resize(size)
        return RunLengths(rle.encode(resized)[0].astype(np.int32), size)


def _mend_outline(shape: Outline, mending: Mending, row: int) -> Outline:
    """The outline, converted as the boxes are if it then fits its box better."""
    assert not isinstance(shape, RunLengths)
    x, y = mending.factors[row].tolist()
    converted = shape if x == y == 1 else shape.scale((x, y))
    if mending.exchanged:
        parts = converted.polygons()
        converted = Polygons(
            tuple(part[:, ::-1] for part in parts.parts), tuple(hole[:, ::-1] for hole in parts.holes)
        )
    if converted is shape:
        return shape
    box = mending.labels.boxes[row]
    return converted if _distance(converted.bounds(), box) < _distance(shape.bounds(), box) else shape


def _distance(bounds: Float[np.ndarray, " 4"], box: Float[np.ndarray, " 4"]) -> float:
    return float(np.abs(bounds - box).sum())

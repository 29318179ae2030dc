"""Run a file and its model on the same photos, one by one and four at a time, and compare the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from boxmask.errors import ExportError
from boxmask.exporting.parity import detections, maps
from boxmask.exporting.parity.differences import Differences
from boxmask.exporting.parity.photos import NamedPhoto, few_photos, is_blank
from boxmask.exporting.session import Session
from boxmask.messages import format_count
from boxmask.models.table import AnyModel
from boxmask.options import option
from boxmask.progress import Progress
from boxmask.runtime.paste import paste_masks
from boxmask.types import Classification, Detections, SegmentationMap

BATCH = 4
ALLOWED_MISMATCHES = 0.005  # of the objects: where rounding decides which of two boxes is kept


@dataclass(frozen=True)
class Parity:
    """The comparison of a file with its model.

    origin: where the photos come from
    rows:   what was compared, and the largest differences
    """

    origin: str
    rows: tuple[tuple[str, Differences], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What makes the comparison worth less."""
        if any(row.compared for _, row in self.rows):
            return ()
        return (
            f"the model finds no objects in the {self.origin}, so no object was compared. "
            f"Give photos with objects: {option('data', 'PHOTOS')}.",
        )


def check_parity(
    path: Path, model: AnyModel, photos: Sequence[NamedPhoto], origin: str, progress: Progress | None = None
) -> Parity:
    """Compare a file with its model. Raises ExportError if they differ by more than rounding."""
    session = Session(path)
    if session.needs_proposals:
        photos = few_photos(photos)
    singles = [[photo] for photo in photos]
    mixed = [list(photos[start : start + BATCH]) for start in range(0, len(photos), BATCH)]
    rows, done = [], 0
    for title, batches in (("one at a time", singles), (f"{BATCH} at a time", mixed)):
        total = Differences()
        for batch in batches:
            differences = compare_batch(session, model, batch)
            check_differences(differences, batch)
            total |= differences
            done += len(batch)
            if progress is not None:
                progress(done, 2 * len(photos))
        rows.append((f"{format_count(len(photos), 'photo')}, {title}", total))
    check_mismatches([row for _, row in rows])
    return Parity(origin, tuple(rows))


def compare_batch(session: Session, model: Any, photos: Sequence[NamedPhoto]) -> Differences:
    """The differences on one batch. The model pads the photos of a batch as the file does."""
    pixels = [photo.pixels for photo in photos]
    images = [torch.from_numpy(photo.copy()).permute(2, 0, 1) for photo in pixels]
    predict = type(model).predict.__wrapped__
    if session.needs_proposals:
        proposals = model.propose(images)
        expected = predict(model, images, proposals)
        outputs = session.run(pixels, [boxes.numpy() for boxes in proposals])
    else:
        expected, outputs = predict(model, images), session.run(pixels)
    check_finite(outputs, photos)
    sizes = [(photo.shape[0], photo.shape[1]) for photo in pixels]
    total = Differences()
    for row, (result, size) in enumerate(zip(expected, sizes, strict=True)):
        differences = compare_photo(result, outputs, row, size, model.config)
        if isinstance(result, Detections) and is_blank(pixels[row]):
            differences = differences.without_objects()
        total |= differences
    return total


def compare_photo(
    result: Any, outputs: dict[str, Any], row: int, size: tuple[int, int], config: Any
) -> Differences:
    """The differences on one photo, the `row` of its batch."""
    if isinstance(result, SegmentationMap):
        return maps.compare_label_maps(result, outputs["label_map"][row, : size[0], : size[1]])
    if isinstance(result, Classification):
        return maps.compare_scores(result, outputs["scores"][row])
    found = detections.from_file(outputs, row, size)
    expected = detections.from_model(result)
    differences = detections.compare(expected, found, config)
    if found.masks is None or "mask_scores" not in outputs:
        return differences
    # boxmask.load makes masks from their scores; others read the output `masks`
    scores = outputs["mask_scores"][detections.rows_of(outputs, row)]
    masks = paste_masks(scores, found.boxes, size, config.mask_threshold).dense()
    return differences | detections.compare(expected, replace(found, masks=masks), config).without_objects()


def check_finite(outputs: Mapping[str, NDArray[Any]], photos: Sequence[NamedPhoto]) -> None:
    """Raise ExportError, with the photos, for NaN and infinity, which no comparison finds different."""
    for name, values in outputs.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            names = ", ".join(photo.name for photo in photos)
            raise ExportError(f"the exported file gives NaN or infinite {name} (photos: {names}). {REMEDY}")


def check_differences(differences: Differences, photos: Sequence[NamedPhoto]) -> None:
    """Raise ExportError, with the photos, for differences above the limits."""
    if wrong := above_limits(differences):
        names = ", ".join(photo.name for photo in photos)
        raise ExportError(f"the exported file and the model differ ({wrong}; photos: {names}). {REMEDY}")


def above_limits(differences: Differences) -> str:
    """A difference that is larger than rounding errors, in words; "" if there is none."""
    if differences.mask_iou < detections.MIN_MASK_IOU:
        return f"masks: IoU {differences.mask_iou:.3f}"
    if differences.score > detections.MAX_SCORE:
        return f"scores: {differences.score:.4f}"
    if differences.pixels > maps.MAX_PIXELS:
        return f"label maps: {differences.pixels:.2%} of the pixels"
    return ""


def check_mismatches(rows: Sequence[Differences]) -> None:
    """Raise ExportError if too many objects have no counterpart."""
    mismatches, compared = sum(row.mismatches for row in rows), sum(row.compared for row in rows)
    if mismatches > max(1, ALLOWED_MISMATCHES * compared):
        raise ExportError(
            f"the exported file and the model differ in {mismatches:,} of "
            f"{format_count(compared, 'object')}. {REMEDY}"
        )


REMEDY = "The file was not written. Please report this, with the versions of torch and onnxruntime."

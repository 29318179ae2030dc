"""Read the detections of another tool from COCO JSON: a list of results, or a document with "annotations"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.comparison.given_detections.ids import PhotosAndClasses, UnknownIdError
from boxmask.data.formats.json_places import JsonPlaces
from boxmask.data.json_text import read_json
from boxmask.errors import LabelError
from boxmask.geometry.rle import decode, decompress
from boxmask.json_numbers import is_number
from boxmask.masks import Masks
from boxmask.messages import MAX_LOCATIONS, format_errors
from boxmask.types import Detections

FORM = 'expected a list of results, or an object with the list "annotations"'
CLASS_KEYS = ("category_name", "class", "label", "category")
REMEDY = (
    'Each result needs "image_id" (the id in the labels, or a file name), "category_id" or "category_name", '
    '"bbox" (x, y, width, height in pixels) and "score" (0 to 1). Write the file again.'
)


@dataclass(frozen=True, slots=True)
class _Result:
    photo: int
    label: int
    box: tuple[float, float, float, float]
    score: float
    segmentation: object


def read_given_detections(path: Path, data: Path, full: Any, dataset: Any) -> list[Detections]:
    """The detections in each evaluated photo, highest score first. Boxes stay as they are.

    Results on other photos of the data set, and of classes that it does not have, are left out. If no result
    is of a class that it has, that is an error. There are masks if every result has one.

    data:    the path of the labels, whose ids the file may use
    full:    the data set with all photos
    dataset: the evaluated photos

    Raises LabelError, with file and line, for broken JSON and results that do not have the form.
    """
    document = read_json(path, "file of detections")
    entries = document.get("annotations") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise LabelError.in_file(path, f"{FORM}. {REMEDY}", 1)
    known, errors = PhotosAndClasses(document, data, full, dataset), dict[int, str]()
    results: list[list[_Result]] = [[] for _ in range(len(dataset))]
    for index, entry in enumerate(entries):
        try:
            result = _parse(entry, known)
        except ValueError as error:
            errors[index] = str(error)
            continue
        if result is not None:
            results[result.photo].append(result)
    if errors:
        raise _error(path, isinstance(document, dict), errors, len(entries))
    known.check_classes(path)
    has_masks = any(results) and all(each.segmentation is not None for rows in results for each in rows)
    sizes = [(int(height), int(width)) for height, width in dataset.sizes]
    try:
        return [
            _detections(rows, dataset.class_names, sizes[photo], dataset.path(photo), has_masks)
            for photo, rows in enumerate(results)
        ]
    except ValueError as error:
        raise LabelError.in_file(path, f"a segmentation cannot be read: {error}. {REMEDY}") from error


def _error(path: Path, is_document: bool, errors: dict[int, str], total: int) -> LabelError:
    places, lines = JsonPlaces(path), []
    for index, reason in list(errors.items())[:MAX_LOCATIONS]:
        line = places.line("annotations", index) if is_document else places.line(index)
        place = f"{path}:{line}" if line is not None else str(path)
        lines.append(f"{place}: result {index}: {reason}")
    heading = f"{path}: results that cannot be used"
    return LabelError(format_errors(heading, lines, REMEDY, total=total, count=len(errors)))


# ---------------------------------------------------------------- one result


def _parse(entry: object, known: PhotosAndClasses) -> _Result | None:
    """A result; None if it does not count. Raises ValueError, with the reason, if it cannot be used."""
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object, found {type(entry).__name__}")
    for name in ("image_id", "bbox", "score"):
        if name not in entry:
            raise ValueError(f'it has no "{name}"')
    box, score = _box(entry["bbox"]), entry["score"]
    if not is_number(score) or not 0 <= score <= 1:
        raise ValueError(f"score: expected a number from 0 to 1, found {score!r}")
    photo = known.photo(_identity("image_id", entry["image_id"]))
    label = known.label(_class_of(entry))
    if photo is None or label is None:
        return None
    return _Result(photo, label, box, float(score), entry.get("segmentation"))


def _class_of(entry: dict[str, Any]) -> int | str:
    for key in CLASS_KEYS:
        if isinstance(entry.get(key), str):
            return str(entry[key])
    if "category_id" not in entry:
        raise UnknownIdError('it has no "category_id" and no "category_name"')
    return _identity("category_id", entry["category_id"])


def _identity(name: str, value: object) -> int | str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{name}: expected a number or a name, found {value!r}")


def _box(value: object) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of x, y, width, height."""
    if not (isinstance(value, list) and len(value) == 4 and all(is_number(number) for number in value)):
        raise ValueError(f"bbox: expected x, y, width, height, found {value!r}")
    x, y, width, height = map(float, value)
    if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) < 0:
        raise ValueError(f"bbox: expected finite numbers and no negative size, found {value!r}")
    return x, y, x + width, y + height


# ---------------------------------------------------------------- one photo


def _detections(
    rows: Sequence[_Result],
    class_names: tuple[str, ...],
    size: tuple[int, int],
    photo: Path,
    has_masks: bool,
) -> Detections:
    """Raises ValueError for a mask that is no run lengths over the photo."""
    ordered = sorted(rows, key=lambda row: -row.score)
    masks = decode([_counts(row.segmentation) for row in ordered], size) if has_masks and ordered else None
    if has_masks and not ordered:
        masks = Masks.unknown(0, size)
    return Detections(
        np.array([row.box for row in ordered], dtype=np.float32).reshape(-1, 4),
        np.array([row.score for row in ordered], dtype=np.float32),
        np.array([row.label for row in ordered], dtype=np.int64),
        class_names,
        size,
        masks,
        photo,
    )


def _counts(segmentation: object) -> Any:
    counts = segmentation.get("counts") if isinstance(segmentation, dict) else None
    if isinstance(counts, str):
        return decompress(counts)
    if isinstance(counts, list) and all(isinstance(count, int) for count in counts):
        return np.array(counts, dtype=np.int64)
    raise ValueError('expected run lengths ("size" and "counts"), not polygons')

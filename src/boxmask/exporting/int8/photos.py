"""The photos for calibration, and others on which the accuracy loss is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from boxmask.data.detection.read_labels import has_detection_labels
from boxmask.errors import UsageError
from boxmask.exporting.int8.accuracy import MEASURES, Measure
from boxmask.exporting.int8.agreement import measure_agreement
from boxmask.exporting.int8.predictor import Feeds, Predictor, feeds_of
from boxmask.exporting.metadata import task_name
from boxmask.messages import format_count
from boxmask.models.table import AnyModel
from boxmask.photos.find import find_photos
from boxmask.photos.read import to_image
from boxmask.photos.rgb_tensors import to_uint8_array
from boxmask.pipeline.selective_search.cache import ProposalCache
from boxmask.runs.splits import NoPhotosOfSplitError, Split
from boxmask.tasks.contract import LabelOptions
from boxmask.tasks.table import task_of

MANY = 48  # photos for calibration; more change little


@dataclass(frozen=True)
class CalibrationPhotos:
    """Photos for calibration, and how the accuracy loss is measured on others.

    feeds:       one photo after another, as inputs of the file; the argument limits their number
    measure:     needs the file before quantization
    calibration: the photos for calibration, in words
    held_out:    the photos for the measurement, in words
    labeled:     whether accuracy is measured; otherwise agreement is
    """

    feeds: Callable[[int], Iterator[Feeds]]
    measure: Callable[[Predictor], Measure]
    calibration: str
    held_out: str
    labeled: bool


def find_calibration_photos(source: Path, model: AnyModel, data: Path) -> CalibrationPhotos:
    """Training photos for calibration and validation photos for the measurement; never test photos.

    A folder of photos without subfolders and labels is split into halves. So are labeled photos without a
    split that the run or the data set defines.

    Raises LabelError and PhotoError as for an evaluation, and UsageError for fewer than two photos.
    """
    if is_unlabeled(data):
        return _unlabeled(model, data)
    train, held_out, names = _read_labeled(source, model, data)
    items = list(np.linspace(0, len(train) - 1, min(MANY, len(train)), dtype=int))
    load = train.photo if hasattr(train, "photo") else train.path
    measure = MEASURES[task_name(task_of(model))]
    return CalibrationPhotos(
        lambda limit: _feeds(model, [(train.path(i), partial(load, i)) for i in items[:limit]]),
        lambda before: measure(held_out, tuple(model.class_names)),
        f"{format_count(len(items), f'{names[0]} photo'.strip())} of {data}",
        format_count(len(held_out), f"{names[1]} photo"),
        labeled=True,
    )


def is_unlabeled(data: Path) -> bool:
    """Whether this is a folder of photos without labels and subfolders. Those for thumbnails do not count."""
    if not data.is_dir() or any(entry.is_dir() and entry.name[0] not in ".@" for entry in data.iterdir()):
        return False
    return not has_detection_labels(data)


def _unlabeled(model: AnyModel, data: Path) -> CalibrationPhotos:
    photos = find_photos(data)
    if len(photos) < 2:
        raise UsageError(_too_few(data))
    first, second = photos[::2], photos[1::2][:MANY]
    chosen = [first[i] for i in np.linspace(0, len(first) - 1, min(MANY, len(first)), dtype=int)]
    return CalibrationPhotos(
        lambda limit: _feeds(model, [(photo, partial(to_image, photo)) for photo in chosen[:limit]]),
        lambda before: measure_agreement(second, before),
        f"{format_count(len(chosen), 'photo')} of {data}",
        format_count(len(second), "other photo"),
        labeled=False,
    )


def _too_few(data: Path) -> str:
    return (
        f"{data}: calibration needs at least two photos, and there is one. Use 50 or more for a good result."
    )


def _feeds(model: Any, photos: Sequence[tuple[Path, Callable[[], Any]]]) -> Iterator[Feeds]:
    """Each photo as inputs of the file, with proposals if the model needs them."""
    search = getattr(model.config, "search", None)
    cache = ProposalCache(search) if search is not None else None
    for path, load in photos:
        pixels = to_uint8_array(to_image(load()))
        yield feeds_of(pixels, cache.boxes(path) if cache is not None else None)


# ---------------------------------------------------------------------- splits


def _read_labeled(source: Path, model: AnyModel, data: Path) -> tuple[Any, Any, tuple[str, str]]:
    """The photos for calibration and for the measurement, and the names of their splits."""
    task, options = task_of(model), LabelOptions()
    everything = task.read_split(source, data, "all", options)  # raises errors of the labels

    def read(split: Split) -> Any:
        try:
            return task.read_split(source, data, split, options)
        except NoPhotosOfSplitError:
            return None

    train, val = read("train"), read("val")
    if train is not None and val is not None:
        return train, val, ("training", "validation")
    rest = train if train is not None else val
    if rest is None:
        if read("test") is not None:
            raise UsageError(
                f"{data}: all photos are test photos, which are never used for calibration. Give a data set "
                "with training and validation photos."
            )
        rest = everything
    if len(rest) < 2:
        raise UsageError(_too_few(data))
    return rest.subset(np.arange(0, len(rest), 2)), rest.subset(np.arange(1, len(rest), 2)), ("", "other")

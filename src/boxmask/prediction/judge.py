"""The verb `evaluate`: a trained detector against labelled photos, in figures and in pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from boxmask.data.dataset import Dataset
from boxmask.data.read import read_unsplit
from boxmask.data.split import UnseenClasses, split_file_fits, with_split_file
from boxmask.detectors.contract import Detector
from boxmask.errors import LabelError
from boxmask.evaluation.detect import detect
from boxmask.evaluation.evaluate import Evaluation, evaluate_detections, require_known_classes
from boxmask.pipeline.photos import load_photo
from boxmask.prediction.draw import contact_sheet, draw, draw_pair, labelled_objects
from boxmask.prediction.ink import Picture
from boxmask.prediction.names import picture_names, require_apart
from boxmask.prediction.save import save_picture
from boxmask.types import Detections

SPLIT = "split.json"  # what training writes into the folder of a run

Split = Literal["train", "val", "test", "all"]


def photos_to_judge(run: Path, data: Path, split: Split, bad_boxes: Literal["stop", "skip"]) -> Dataset:
    """The labelled photos of one split; on the data that it was trained on, the run's own split counts.

    Nothing is drawn here: a draw could bring photos that the run was trained on into its test. Raises
    LabelError where the split has no photos.
    """
    dataset = _with_known_splits(read_unsplit(data, bad_boxes), run)
    chosen = dataset if split == "all" else dataset.split(split)
    if not len(chosen):
        raise LabelError(
            f"{data}: there are no {split} photos: neither does the set name any, nor is it the one that "
            "this run has split. Choose another --split; all takes every photo."
        )
    return chosen


def _with_known_splits(dataset: Dataset, run: Path) -> Dataset:
    """The run's splits where it has split this set, else the set's own."""
    written = (run if run.is_dir() else run.parent) / SPLIT
    if written.is_file() and split_file_fits(dataset, written):
        return with_split_file(dataset, written, differing="leave out")
    return dataset


def judge(
    detector: Detector,
    dataset: Dataset,
    unseen_classes: UnseenClasses = "stop",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Evaluation, list[Detections]]:
    """The figures, with intervals, and what was found in each photo."""
    require_known_classes(detector, dataset, unseen_classes)
    detections = detect(detector, dataset, progress=progress)
    return evaluate_detections(dataset, detections, unseen_classes=unseen_classes), detections


def draw_judged(dataset: Dataset, detections: Sequence[Detections], folder: Path) -> list[Path]:
    """Each photo twice, as labelled and as found, as JPEG; gives the pictures' paths.

    Raises UsageError, before anything is drawn, if a picture would replace a photo.
    """
    photos = [dataset.path(photo) for photo in range(len(dataset))]
    pictures = [folder / f"{name}.jpg" for name in picture_names(photos)]
    require_apart(pictures, photos)
    for photo, found in enumerate(detections):
        pair = draw_pair(load_photo(photos[photo]), labelled_objects(dataset, photo), found)
        save_picture(pair, pictures[photo])
    return pictures


def sheet_of(dataset: Dataset, detections: Sequence[Detections], count: int) -> Picture:
    """One picture of the first `count` photos with what was found in them."""
    pictures = [
        draw(load_photo(dataset.path(photo)), detections[photo]) for photo in range(len(dataset))[:count]
    ]
    return contact_sheet(pictures)

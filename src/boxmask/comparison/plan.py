"""What a comparison is about to do, and how long that takes, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boxmask.comparison.jobs import Job
from boxmask.comparison.options import CompareOptions
from boxmask.comparison.photos import ComparedPhotos
from boxmask.messages import format_count, format_minutes
from boxmask.runs.run import Run


def describe_plan(photos: ComparedPhotos, jobs: Sequence[Job], options: CompareOptions) -> tuple[str, ...]:
    """The photos, and the trainings with their time."""
    lines = [_describe_photos(photos, options)]
    trainings = [job for job in jobs if job.recipe is not None]
    waiting = [job for job in trainings if not Run(job.source).finished]
    if not trainings:
        return tuple(lines)
    done = len(trainings) - len(waiting)
    already = f" ({done:,} of {format_count(len(trainings), 'training')} are done)" if done else ""
    if not waiting:
        return (*lines, "all trainings are done")
    minutes, number = options.recipe.minutes, format_count(len(waiting), "model")
    if minutes is None:
        passes = format_count(options.recipe.epochs or 0, "pass")
        return (*lines, f"to train: {number}, {passes} each{already}")
    total = format_minutes(minutes * len(waiting))
    more = "Evaluating and measuring add a minute or two per model, and more with Selective Search."
    return (*lines, f"to train: {number}, {minutes:g} minutes each, {total} in all{already}. {more}")


def _describe_photos(photos: ComparedPhotos, options: CompareOptions) -> str:
    if photos.fold_of is not None:
        sizes = np.bincount(photos.fold_of)[1:]
        size = " to ".join(f"{number:,}" for number in sorted({sizes.min(), sizes.max()}))
        return (
            f"{photos.data}: {len(photos.fold_of):,} photos in {len(sizes)} folds of {size}; each fold is "
            "tested by trainings on the others"
        )
    numbers = {split: int((photos.full.splits == split).sum()) for split in ("train", "val", "test")}
    counts = ", ".join(f"{number:,} {split}" for split, number in numbers.items())
    return f"{photos.data}: {counts} photos; evaluated on the {options.split} photos"


class Schedule:
    """Which model is in work, and how many minutes of training are left."""

    def __init__(self, jobs: Sequence[Job], options: CompareOptions) -> None:
        self._jobs = list(jobs)
        self._minutes = options.recipe.minutes
        self._waits = [job.recipe is not None and not Run(job.source).finished for job in jobs]

    def place(self, job: Job) -> str:
        """The name of the model, and its place."""
        return f"{job.title} (model {self._jobs.index(job) + 1} of {len(self._jobs)})"

    def time_left(self, job: Job, minutes: float | None) -> str:
        """The time of training left for this model and those after it; "" if that is not known.

        minutes: of the training of this model so far
        """
        if self._minutes is None or minutes is None:
            return ""
        waiting = sum(self._waits[self._jobs.index(job) + 1 :])
        return (
            f"{format_minutes(max(0.0, self._minutes - minutes) + self._minutes * waiting)} of training left"
        )

"""How a model was trained, from the files of its run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from boxmask.comparison.contract import Training
from boxmask.comparison.folder import ComparisonFolder
from boxmask.comparison.jobs import Job
from boxmask.comparison.training_memory import read_memory
from boxmask.runs.run import Run
from boxmask.training.progress import read_log
from boxmask.weights.checkpoint import read_metadata


def read_trainings(jobs: Sequence[Job], folder: ComparisonFolder) -> Training | None:
    """The training of a model; with folds, the means over its trainings, and their highest memory.

    None for a model that was trained elsewhere. Raises CheckpointError as `read_training` does.
    """
    trainings = [
        read_training(Run(job.source), folder.model(job.slug), job.recipe.seed)
        for job in jobs
        if job.recipe is not None
    ]
    if len(trainings) < 2:
        return trainings[0] if trainings else None
    return Training(
        minutes=float(np.mean([each.minutes for each in trainings])),
        passes=_mean([each.passes for each in trainings]),
        images_per_second=_mean([each.images_per_second for each in trainings]),
        peak_memory_mb=max(each.peak_memory_mb or 0.0 for each in trainings) or None,
        seed=trainings[0].seed,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def read_training(run: Run, folder: Path, seed: int) -> Training:
    """The training of a finished run.

    folder: holds the record of its memory

    Raises CheckpointError if its last checkpoint cannot be read.
    """
    progress = read_metadata(run.last_checkpoint).training
    rows = read_log(run.log_file)
    passes: defaultdict[str, float] = defaultdict(float)  # by stage
    for row in rows:
        passes[str(row.get("stage"))] = max(passes[str(row.get("stage"))], float(row.get("passes", 0.0)))
    speeds = [float(row["images_per_second"]) for row in rows if row.get("images_per_second")]
    total = max(sum(passes.values()), float(progress.get("passes", 0.0)))
    return Training(
        minutes=float(progress.get("seconds", 0.0)) / 60,
        passes=total or None,
        images_per_second=float(np.mean(speeds)) if speeds else None,
        peak_memory_mb=read_memory(folder),
        seed=seed,
    )

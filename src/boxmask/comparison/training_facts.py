"""How a model was trained, from the files of its run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from boxmask.comparison.contract import Training
from boxmask.comparison.training_memory import read_memory
from boxmask.runs.run import Run
from boxmask.training.progress import read_log
from boxmask.weights.checkpoint import read_metadata


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

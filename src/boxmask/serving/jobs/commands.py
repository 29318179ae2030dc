"""The command of a job, as a list of words: no shell reads it."""

from __future__ import annotations

import shlex
from pathlib import Path

from boxmask.runs.run import RECIPE
from boxmask.serving.jobs.job import Job
from boxmask.serving.jobs.request import CompareRequest, ForecastRequest, TrainRequest


def command_of(job: Job, out: Path) -> list[str]:
    """The words after `boxmask`: those that start the job, or that continue it."""
    folder = out / job.folder
    if isinstance(job.request, TrainRequest) and (folder / RECIPE).is_file():
        return ["train", "--resume", "--out", str(folder)]
    return first_command_of(job, out)


def first_command_of(job: Job, out: Path) -> list[str]:
    """The words after `boxmask` that start the job. Given again, they continue a comparison or forecast."""
    request = job.request
    words = [request.kind, str(Path(job.data)), "--out", str(out / job.folder)]
    words += _own_words(job)
    words += ["--max-minutes", f"{request.minutes:g}"]
    if request.size is not None:
        words += ["--size", str(request.size)]
    if request.seed:
        words += ["--seed", str(request.seed)]
    return words


def shown_command(job: Job, out: Path) -> str:
    """The command for a terminal."""
    return shlex.join(["boxmask", *command_of(job, out)])


def _own_words(job: Job) -> list[str]:
    """The options that only this kind of job has."""
    request = job.request
    if isinstance(request, CompareRequest):
        words = ["--models", ",".join(request.models)] if request.models else []
        words += ["--seeds", str(request.seeds)] if request.seeds > 1 else []
        return words + (["--folds", str(request.folds)] if request.folds else [])
    words = ["--model", request.model] if request.model != "auto" else []
    if isinstance(request, ForecastRequest):
        return words + (["--more", *map(str, request.more)] if request.more else [])
    return words + ([] if job.init is None else ["--init", job.init])

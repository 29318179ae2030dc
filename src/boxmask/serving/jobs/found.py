"""Runs, comparisons and forecasts that lie in --out already, as jobs."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from boxmask.runs.claim import OWNER
from boxmask.runs.run import RECIPE, Run
from boxmask.serving.jobs.job import FOUND, Job
from boxmask.serving.jobs.request import MAX_MINUTES, CompareRequest, ForecastRequest, TrainRequest
from boxmask.serving.jobs.results import RESULTS

SETTINGS = "settings.json"  # of a comparison or forecast
MAX_FOUND = 200  # the newest
SCAN_SECONDS = 2.0


class FoundJobs:
    """Looks through --out, at most every two seconds."""

    def __init__(self, out: Path) -> None:
        self._out, self._scanned = out, -SCAN_SECONDS
        self._known: dict[tuple[str, int], Job | None] = {}
        self._jobs: list[Job] = []

    def jobs(self, taken: Collection[str]) -> list[Job]:
        """The jobs in folders with other names than `taken`, the oldest first."""
        if time.monotonic() - self._scanned > SCAN_SECONDS:
            self._jobs = self._scan()
            self._scanned = time.monotonic()
        return [job for job in self._jobs if job.folder not in taken]

    def _scan(self) -> list[Job]:
        marks = list[tuple[int, Path]]()
        for file in (RECIPE, SETTINGS):
            for mark in self._out.glob(f"*/{file}"):
                if not mark.parent.is_symlink() and not mark.parent.name.startswith("."):
                    with suppress(OSError):  # it was removed meanwhile
                        marks.append((mark.stat().st_mtime_ns, mark))
        newest, known = sorted(marks)[-MAX_FOUND:], dict[tuple[str, int], Job | None]()
        for changed, mark in newest:
            key = (str(mark), changed)
            known[key] = self._known[key] if key in self._known else _read(mark, changed / 1e9)
        self._known = known
        found = [job for job in known.values() if job is not None]
        for job in found:
            _set_state(job, self._out / job.folder)
        return found


def _read(mark: Path, created: float) -> Job | None:
    """The job in the folder of a file; None if the file is damaged or of something else."""
    try:
        content = json.loads(mark.read_text(encoding="utf-8"))
        if mark.name == RECIPE:
            request: Any = _training(content["recipe"])
        elif (mark.parent / "models").is_dir() or (mark.parent / "runs").is_dir():
            request = _comparison(content, mark.parent)
        else:
            request = _forecast(content)
        data = str(content["data"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    folder = mark.parent.name
    name = hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return Job(request, data, folder, id=f"{FOUND}{name}", created=created, started=created)


def _training(recipe: dict[str, Any]) -> TrainRequest:
    return TrainRequest.model_construct(kind="train", model=str(recipe["model"]), **_shared(recipe))


def _comparison(settings: dict[str, Any], folder: Path) -> CompareRequest:
    names = sorted(path.name.partition("-seed-")[0] for path in folder.glob("runs/*"))
    models = list(dict.fromkeys(names))
    return CompareRequest.model_construct(kind="compare", models=models, **_shared(settings))


def _forecast(settings: dict[str, Any]) -> ForecastRequest:
    return ForecastRequest.model_construct(kind="forecast", model=str(settings["model"]), **_shared(settings))


def _shared(recipe: dict[str, Any]) -> dict[str, Any]:
    """The fields that all requests have. Minutes are 0 where passes decide."""
    minutes, size = recipe.get("max_minutes"), recipe.get("size")
    if minutes is None:
        minutes = 0.0 if recipe.get("epochs") else 10.0
    return {
        "data": "found",
        "minutes": min(float(minutes), MAX_MINUTES),
        "size": size if isinstance(size, int) else None,
        "seed": int(recipe.get("seed", 0)),
    }


def _set_state(job: Job, folder: Path) -> None:
    """Whether the work is done, goes on in another process, or was stopped."""
    job.reason = ""
    if Run(folder).finished if job.kind == "train" else (folder / RESULTS[job.kind][0]).is_file():
        job.state = "done"
        return
    owner = _owner(folder) if job.kind == "train" else None
    job.state = "stopped" if owner is None else "running"
    if owner is not None:
        job.reason = f"process {owner}, which this server did not start, trains this run."


def _owner(folder: Path) -> int | None:
    """The process on this computer that trains a run; None if there is none."""
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        pid, host = int(owner["pid"]), owner["host"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return pid if host == socket.gethostname() and psutil.pid_exists(pid) else None

"""What the files of a job tell while it runs, and afterwards."""

from __future__ import annotations

import re
from pathlib import Path

from boxmask.runs.run import LOG, PREDICTIONS, Run
from boxmask.serving.jobs.curves import LogReader
from boxmask.serving.jobs.job import Job
from boxmask.serving.jobs.json_files import JsonFiles
from boxmask.serving.jobs.replies import Picture, Progress, TrainedModel
from boxmask.serving.jobs.request import CompareRequest
from boxmask.serving.jobs.results import changed_at
from boxmask.serving.jobs.tables import PROGRESS

MAX_READERS, MAX_TRAININGS, MAX_PICTURES = 64, 24, 200
ALMOST = 0.99  # the share until a job has ended
LOGS = {"train": LOG, "compare": f"runs/**/{LOG}", "forecast": f"trainings/*/run/{LOG}"}
PREPARING, TRAINING = "preparing", "training"

_PLACE = re.compile(r" \(model \d+ of \d+\)$")  # of a model in the order of a comparison
_PICTURE = re.compile(r"validation-(\d{3})\.jpg")


class Watcher:
    """Reads the files of jobs, and remembers how far."""

    def __init__(self, out: Path) -> None:
        self._out, self.files = out, JsonFiles()
        self._readers: dict[Path, LogReader] = {}

    def log(self, file: Path) -> LogReader:
        """The log of a training, read to its end."""
        reader = self._readers.pop(file, None) or LogReader(file)
        while len(self._readers) >= MAX_READERS:
            self._readers.pop(next(iter(self._readers)))
        self._readers[file] = reader
        reader.refresh()
        return reader

    def progress(self, job: Job) -> Progress:
        """How far a running job has come."""
        if job.kind == "train":
            return self._training(job, self._out / job.folder / LOG)
        told = self.files.read(self._out / job.folder / PROGRESS)
        newest = max(self._logs(job), key=changed_at, default=None)
        current = Progress(step=PREPARING) if newest is None else self._training(job, newest)
        working = told.get("working")
        if isinstance(job.request, CompareRequest):
            return self._comparison(job, job.request, current, working if isinstance(working, dict) else {})
        return _forecast(current, told)

    def _training(self, job: Job, log: Path) -> Progress:
        """The progress of one training, as far as minutes tell."""
        row, total = self.log(log).last, job.request.minutes
        if not row or changed_at(log) < (job.started or 0.0):
            return Progress(step=PREPARING)
        minutes = float(row["minutes"])
        return Progress(
            step=str(row.get("stage", "training")),
            share=min(ALMOST, minutes / total) if total else None,
            seconds_left=max(0.0, 60 * (total - minutes)) if total else None,
            images_per_second=row.get("images_per_second") or None,  # 0 before the speed is known
        )

    def _comparison(
        self, job: Job, request: CompareRequest, current: Progress, working: dict[str, object]
    ) -> Progress:
        """The step that the comparison tells, and the time of all its trainings."""
        step = str(working.get("step", PREPARING))
        item = _PLACE.sub("", str(working.get("name", "")))
        speed = current.images_per_second if step.startswith(TRAINING) else None
        total = len(request.models) * request.seeds * (request.folds or 1)
        if not total:
            return Progress(step=step, item=item, images_per_second=speed)
        done = sum(Run(log.parent).finished for log in self._logs(job))
        done_now = min(total, done + ((current.share or 0.0) if step.startswith(TRAINING) else 0.0))
        return Progress(
            step=step,
            item=item,
            share=min(ALMOST, done_now / total),
            seconds_left=60 * request.minutes * (total - done_now),
            images_per_second=speed,
        )

    def trainings(self, job: Job) -> list[TrainedModel]:
        """The trainings inside a comparison or forecast, with their validations."""
        folder = self._out / job.folder
        found = []
        for log in self._logs(job)[:MAX_TRAININGS]:
            inside = log.parent.relative_to(folder).parts[1:]
            name = "/".join(part for part in inside if part != "run").removesuffix("-seed-0")
            found.append(TrainedModel(name=name, validations=self.log(log).validations))
        return found

    def _logs(self, job: Job) -> list[Path]:
        return sorted((self._out / job.folder).glob(LOGS[job.kind]))

    def pictures(self, job: Job) -> list[Picture]:
        """The pictures of what the model found, the first validation first."""
        names = sorted(path.name for path in (self._out / job.folder / PREDICTIONS).glob("*.jpg"))
        matches = [match for name in names[:MAX_PICTURES] if (match := _PICTURE.fullmatch(name))]
        return [Picture(name=match[0], percent=int(match[1])) for match in matches]

    def picture(self, job: Job, name: str) -> Path | None:
        """The file of a picture; None if there is no such picture."""
        known = {picture.name for picture in self.pictures(job)}
        return self._out / job.folder / PREDICTIONS / name if name in known else None


def _forecast(current: Progress, told: dict[str, object]) -> Progress:
    """All trainings of a forecast together."""
    measured, total, working = told.get("measured"), told.get("trainings"), told.get("working")
    if not (isinstance(measured, list) and isinstance(total, int) and isinstance(working, dict)):
        return Progress(step=PREPARING)
    share = (len(measured) + (current.share or 0.0)) / max(1, total)
    minutes = working.get("minutes_left")
    left = None
    if isinstance(minutes, int | float):
        left = 60 * minutes * (1 - share) / max(1e-6, 1 - len(measured) / max(1, total))
    return Progress(
        step=current.step,
        item=str(working.get("photos", "")),
        share=min(ALMOST, share),
        seconds_left=left,
        images_per_second=current.images_per_second,
    )

"""What clients are told about the jobs of a server."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from boxmask.runs.run import LOG, Run
from boxmask.serving.errors import RequestError
from boxmask.serving.jobs.commands import shown_command
from boxmask.serving.jobs.job import ACTIVE, Job
from boxmask.serving.jobs.manager import JobManager
from boxmask.serving.jobs.messages import last_lines
from boxmask.serving.jobs.replies import Action, JobDetail, JobListReply, JobSummary
from boxmask.serving.jobs.request import models_of
from boxmask.serving.jobs.results import BestMetrics, deciding, report_of
from boxmask.serving.jobs.tables import learning_curve_of, table_of
from boxmask.serving.jobs.watch import Watcher


class Describer:
    """Reads the files of the jobs, one request at a time."""

    def __init__(self, manager: JobManager) -> None:
        self._manager, self._watcher = manager, Watcher(manager.queue.out)
        self._best, self._lock = BestMetrics(), threading.Lock()

    def overview(self) -> JobListReply:
        """All jobs in short."""
        with self._lock:
            jobs = [self._summary(job) for job in self._manager.jobs()]
        return JobListReply(jobs=jobs, problem=self._manager.queue.problem)

    def detail(self, job: Job) -> JobDetail:
        """A job with everything that is known about it."""
        folder, watcher = self._manager.folder(job), self._watcher
        is_training, queue = job.kind == "train", self._manager.queue
        with self._lock:
            return JobDetail(
                **self._summary(job).model_dump(),
                size=job.request.size,
                seed=job.request.seed,
                command=shown_command(job, queue.out),
                messages=last_lines(queue.store.messages(job)),
                curves=watcher.log(folder / LOG).curves() if is_training else None,
                pictures=watcher.pictures(job) if is_training else [],
                table=table_of(folder, watcher.files) if job.kind == "compare" else None,
                learning_curve=learning_curve_of(folder, watcher.files) if job.kind == "forecast" else None,
                trainings=[] if is_training else watcher.trainings(job),
            )

    def picture(self, job: Job, name: str) -> bytes:
        """A picture of a job, as JPEG. Raises RequestError."""
        file = self._watcher.picture(job, name) if job.kind == "train" else None
        with suppress(OSError):
            if file is not None:
                return file.read_bytes()
        raise RequestError(404, "unknown-picture", f"this job has no picture {name[:60]!r}.")

    def _summary(self, job: Job) -> JobSummary:
        folder = self._manager.folder(job)
        metric, value = self._metric(job, folder)
        return JobSummary(
            id=job.id,
            kind=job.request.kind,
            state=job.state,
            name=job.folder,
            data=self._manager.name_of_data(job),
            models=[name for name in models_of(job.request) if name != "auto"],
            minutes=job.request.minutes,
            created=job.created,
            started=job.started,
            ended=job.ended,
            place=self._manager.queue.place(job),
            progress=self._watcher.progress(job) if job.state in ACTIVE else None,
            metric=metric,
            value=value,
            reason=job.reason,
            actions=self._actions(job, folder),
            has_report=report_of(job.kind, folder) is not None,
            model=self._manager.served.name_of(folder),
        )

    def _metric(self, job: Job, folder: Path) -> tuple[str | None, float | None]:
        """The metric of a training that decides, and its best value."""
        if job.kind != "train":
            return None, None
        if job.state not in ACTIVE:
            return deciding([self._best.of(folder)])
        return deciding([row.metrics for row in self._watcher.log(folder / LOG).validations])

    def _actions(self, job: Job, folder: Path) -> list[Action]:
        """What can be done with a job now."""
        if job.state == "running":
            return [] if job.is_found else ["stop"]
        if job.state == "waiting":
            return ["remove"] if self._manager.queue.place(job) == 1 else ["up", "remove"]
        actions: list[Action] = []
        if job.state in ("stopped", "failed"):
            is_known = job.kind == "train" or not job.is_found  # else its command is not known
            actions += ["resume"] if is_known and self._manager.has_data(job) else []
            actions += [] if folder.exists() else ["remove"]
        if job.kind == "train" and Run(folder).has_weights:
            actions.append("use")
        return actions

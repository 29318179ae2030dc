"""All jobs of a server: the queue, and what lies in --out already."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from boxmask.errors import BoxmaskError
from boxmask.models.table import MODELS
from boxmask.runs.run import Run
from boxmask.serving.errors import RequestError
from boxmask.serving.jobs.found import FoundJobs
from boxmask.serving.jobs.job import Job
from boxmask.serving.jobs.queue import JobQueue
from boxmask.serving.jobs.request import MIN_MINUTES, AnyRequest, TrainRequest, models_of
from boxmask.serving.jobs.served_runs import ServedRuns
from boxmask.serving.state import ServerState

logger = logging.getLogger("boxmask.serve")

FOLDERS = {"compare": "comparison", "forecast": "forecast"}


class JobManager:
    """The jobs of one server.

    datasets: by id
    """

    def __init__(self, state: ServerState, datasets: Mapping[str, Path]) -> None:
        self.queue = JobQueue(state.out, self._serve_when_done)
        self.served = ServedRuns(state)
        self._datasets = datasets
        self._found = FoundJobs(self.queue.out)

    # ---------------------------------------------------------------- find and make jobs

    def jobs(self) -> list[Job]:
        """All jobs; what lies in --out comes first."""
        queued = self.queue.jobs()
        return [*self._found.jobs({job.folder for job in queued}), *queued]

    def job(self, job_id: str) -> Job:
        """The job with this id. Raises RequestError."""
        for job in self.jobs():
            if job.id == job_id:
                return job
        raise RequestError(404, "unknown-job", f"there is no job {job_id[:40]!r}. See GET /v1/jobs.")

    def add(self, request: AnyRequest) -> Job:
        """Let a new job wait. Raises RequestError for a data set, method or training that is not known."""
        data = self._datasets.get(request.data)
        if data is None:
            known = ", ".join(self._datasets)
            raise RequestError(
                422, "invalid", f"data: there is no data set {request.data[:60]!r}; there are: {known}"
            )
        _check(request)
        base = request.model if isinstance(request, TrainRequest) else FOLDERS[request.kind]
        init = request.init if isinstance(request, TrainRequest) else None
        job = Job(request, str(data), "training" if base == "auto" else base, self._init(init))
        self.queue.add(job)
        return job

    def resume(self, job: Job) -> None:
        """Let a job go on. Raises RequestError."""
        if not self.has_data(job):
            raise RequestError(
                409,
                "unknown-data",
                f"this job needs the data set {job.data}. Start the server with it: --data {job.data}",
            )
        self.queue.resume(job)

    def use(self, job: Job) -> str:
        """Serve the model of a training, and return its name. Raises RequestError."""
        run = self.folder(job)
        if job.kind != "train" or not Run(run).has_weights:
            raise RequestError(409, "no-weights", "this job has no weights to use yet. Train it first.")
        try:
            return self.served.name_of(run) or self.served.join(run)
        except BoxmaskError as error:
            raise RequestError(409, "not-served", str(error)[:1000]) from error

    def folder(self, job: Job) -> Path:
        """The folder of a job. Names come from this server or from a listing of --out."""
        return self.queue.out / job.folder

    def _init(self, job_id: str | None) -> str | None:
        if job_id is None:
            return None
        run = self.folder(self.job(job_id))
        if not Run(run).has_weights:
            raise RequestError(422, "invalid", "init: this training has no weights yet. Choose another.")
        return str(run)

    def has_data(self, job: Job) -> bool:
        """Whether this server may use the data set of a job."""
        known = {path.resolve() for path in self._datasets.values()}
        return Path(job.data).resolve() in known

    def name_of_data(self, job: Job) -> str:
        """The id of the data set of a job, or the name of its folder."""
        path = Path(job.data)
        return next((name for name, known in self._datasets.items() if known == path), path.name)

    def _serve_when_done(self, job: Job) -> None:
        if job.kind == "train":
            try:
                self.served.join(self.folder(job))
            except BoxmaskError as error:
                logger.warning("boxmask: %s is not served: %s", job.folder, error)


def _check(request: AnyRequest) -> None:
    """Raise RequestError for a method that boxmask does not have, and for too few minutes."""
    if request.minutes < MIN_MINUTES:
        problem = f"minutes: expected {MIN_MINUTES} or more, found {request.minutes}"
        raise RequestError(422, "invalid", problem)
    for name in models_of(request):
        if name != "auto" and name not in MODELS:
            problem = f"model: there is no method {name[:40]!r}; the methods are: {', '.join(MODELS)}"
            raise RequestError(422, "invalid", problem)

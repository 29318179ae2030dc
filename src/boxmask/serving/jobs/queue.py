"""The queue: one job at a time, each in a process of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from boxmask.errors import OutputError
from boxmask.program_start import INTERRUPTED
from boxmask.serving.errors import RequestError
from boxmask.serving.jobs.commands import command_of
from boxmask.serving.jobs.job import ACTIVE, Job, State
from boxmask.serving.jobs.job_list import JobList, wrong_state
from boxmask.serving.jobs.messages import reason_of
from boxmask.serving.jobs.process import JobProcess
from boxmask.serving.jobs.results import is_complete
from boxmask.serving.jobs.store import JobStore

logger = logging.getLogger("boxmask.serve")

POLL_SECONDS = 0.3
STOP_SECONDS = 60.0  # that a server which stops waits for a job to save its work
SERVER_STOPPED = "the server was stopped."


class JobQueue:
    """Starts the jobs that wait, watches the one that runs, and remembers them all.

    out:      the folder that the jobs write into
    on_done:  called with each job that is done, in a thread of its own
    """

    def __init__(self, out: Path, on_done: Callable[[Job], None]) -> None:
        self.out, self.store, self.is_open = out.absolute(), JobStore(out.absolute()), False
        self.problem = ""
        self._on_done = on_done
        self._jobs = JobList()
        self._process: JobProcess | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._is_closing = False

    # ---------------------------------------------------------------- the server starts and stops

    def open(self) -> None:
        """Read the list, find a job that an earlier server left running, and begin to work.

        If that is impossible, `problem` says why, and no job can be started.
        """
        try:
            if not self.store.claim():
                self.problem = (
                    f"another boxmask serve works in {self.out}. Use its page, or give this server another "
                    "--out."
                )
                return
            self._jobs = JobList(self.store.read())
        except OutputError as error:
            self.store.release()
            self.problem = str(error)
            return
        self._find_left_job()
        self.is_open = True
        self._thread.start()

    def close(self) -> None:
        """Stop the job that runs, which saves its work, and wait for it. It can be resumed."""
        if not self.is_open:
            return
        with self._changed:
            self._is_closing = True
            if (job := self._jobs.active) is not None:
                logger.warning(
                    "boxmask: stopping %s, which saves its work. Resume it from the page.", job.folder
                )
            self._stop_running(SERVER_STOPPED)
            self._changed.notify_all()
        self._thread.join(STOP_SECONDS)
        with self._changed:
            self._save()
        self.is_open = False
        self.store.release()

    def _find_left_job(self) -> None:
        if (job := self._jobs.active) is not None:
            self._process = JobProcess.find(job.pid or 0, job.pid_started or 0.0)
            if self._process is None:
                self._end(job, None)

    # ---------------------------------------------------------------- what clients ask

    def jobs(self) -> list[Job]:
        """All jobs, those that wait in the order of the queue."""
        with self._changed:
            return list(self._jobs)

    def find(self, job_id: str) -> Job | None:
        """The job with this id."""
        with self._changed:
            return next((job for job in self._jobs if job.id == job_id), None)

    def place(self, job: Job) -> int | None:
        """1 for the job that starts next; None unless the job waits."""
        with self._changed:
            waiting = self._jobs.waiting
        return waiting.index(job) + 1 if job in waiting else None

    def add(self, job: Job) -> None:
        """Let a job wait. `folder` is its method or kind, and gets a number. Raises RequestError."""
        with self._change():
            self._jobs.check_room()
            job.folder = self._jobs.free_folder(self.out, job.folder)
            self._jobs.append(job)
            for old in self._jobs.take_old():
                self.store.messages(old).unlink(missing_ok=True)

    def resume(self, job: Job) -> None:
        """Let a job that has ended wait again, behind the others. Raises RequestError."""
        with self._change():
            if job.state not in ("stopped", "failed"):
                raise wrong_state(job, "resumed", "stopped or failed")
            self._jobs.check_room()
            if job in self._jobs:
                self._jobs.remove(job)
            job.state, job.ended, job.reason = "waiting", None, ""
            self._jobs.append(job)

    def stop(self, job: Job) -> None:
        """Let a running job save its work and end. Raises RequestError."""
        with self._change():
            if job is not self._jobs.active:
                raise wrong_state(job, "stopped", "running, as a process of this server")
            self._stop_running("")

    def remove(self, job: Job) -> None:
        """Take a job out of the list. Its files stay. Raises RequestError for one that runs."""
        with self._change():
            if job.state in ACTIVE or job not in self._jobs:
                raise wrong_state(job, "removed", "waiting, or of those that have ended")
            self._jobs.remove(job)
            self.store.messages(job).unlink(missing_ok=True)

    def move_up(self, job: Job) -> None:
        """Let a waiting job start before the one ahead of it. Raises RequestError."""
        with self._change():
            self._jobs.move_up(job)

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Change the list, and save it. Raises RequestError while no jobs can be started."""
        if not self.is_open:
            raise RequestError(409, "jobs-closed", self.problem or "the server stops.")
        with self._changed:
            yield
            self._save()
            self._changed.notify_all()

    # ---------------------------------------------------------------- the thread

    def _work(self) -> None:
        """Start and watch jobs until the server stops."""
        with self._changed:
            while not (self._is_closing and self._process is None):
                self._step()
                self._changed.wait(POLL_SECONDS)

    def _step(self) -> None:
        """Notice the end of the running job, and start the next one."""
        if self._process is not None:
            if not self._process.has_ended():
                return
            status, self._process = self._process.status, None
            if (job := self._jobs.active) is not None:
                self._end(job, status)
        if self._jobs.waiting and not self._is_closing:
            self._start(self._jobs.waiting[0])

    def _start(self, job: Job) -> None:
        if job.started is None and (self.out / job.folder).exists():  # another program was faster
            job.folder = self._jobs.free_folder(self.out, job.folder.rpartition("-")[0])
        job.state, job.started, job.ended, job.reason = "running", time.time(), None, ""
        try:
            words = command_of(job, self.out)
            self._process = JobProcess.start(words, self.store.messages(job))
            job.pid, job.pid_started = self._process.pid, self._process.started
        except OSError as error:
            job.state, job.ended, job.reason = "failed", time.time(), f"it could not be started ({error})."
        self._save()

    def _end(self, job: Job, status: int | None) -> None:
        """Record how a job has ended. status: as in `reason_of`"""
        job.state, job.reason = self._outcome(job, status)
        job.pid = job.pid_started = None
        job.ended = time.time()
        self._save()
        if job.state == "done":
            threading.Thread(target=self._on_done, args=(job,), daemon=True).start()

    def _outcome(self, job: Job, status: int | None) -> tuple[State, str]:
        """What has become of a job whose process has ended, and why."""
        if status == 0 or is_complete(job, self.out / job.folder):
            return "done", ""
        if job.state == "stopping" or status == INTERRUPTED:
            return "stopped", job.reason
        return "failed", reason_of(status, self.store.messages(job))

    def _stop_running(self, reason: str) -> None:
        """Ask the process to stop, once: a training that is asked three times does not save."""
        job = self._jobs.active
        if job is not None and job.state == "running" and self._process is not None:
            job.state, job.reason = "stopping", reason
            self._process.stop()

    def _save(self) -> None:
        """Write the list. A disk that is full does not end the jobs."""
        try:
            self.store.write(self._jobs)
            self.problem = ""
        except OutputError as error:
            self.problem = str(error)
            logger.warning("boxmask: %s", error)

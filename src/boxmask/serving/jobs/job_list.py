"""The list of jobs: those that wait are in the order of the queue."""

from __future__ import annotations

from pathlib import Path

from boxmask.serving.errors import RequestError
from boxmask.serving.jobs.job import ACTIVE, ENDED, Job

MAX_WAITING = 50
MAX_KEPT = 500  # jobs in the list; the oldest that have ended are forgotten, and their folders stay


class JobList(list[Job]):
    """Jobs in the order of the queue."""

    @property
    def active(self) -> Job | None:
        """The job that runs."""
        return next((job for job in self if job.state in ACTIVE), None)

    @property
    def waiting(self) -> list[Job]:
        """The jobs that wait, the next one first."""
        return [job for job in self if job.state == "waiting"]

    def check_room(self) -> None:
        """Raise RequestError while too many jobs wait."""
        if len(self.waiting) >= MAX_WAITING:
            raise RequestError(
                429,
                "queue-full",
                f"the queue is full: at most {MAX_WAITING} jobs wait. Remove one, or try again later.",
                60,
            )

    def free_folder(self, out: Path, base: str) -> str:
        """The first name BASE-NUMBER that no job and no folder has."""
        taken, number = {job.folder for job in self}, 1
        while f"{base}-{number}" in taken or (out / f"{base}-{number}").exists():
            number += 1
        return f"{base}-{number}"

    def move_up(self, job: Job) -> None:
        """Let a waiting job start before the one ahead of it. Raises RequestError."""
        waiting = self.waiting
        if job not in waiting:
            raise wrong_state(job, "moved", "waiting")
        if place := waiting.index(job):
            here, ahead = self.index(job), self.index(waiting[place - 1])
            self[here], self[ahead] = self[ahead], self[here]

    def take_old(self) -> list[Job]:
        """Take the oldest jobs that have ended out of a list that is too long, and return them."""
        old = [job for job in self if job.state in ENDED][: max(0, len(self) - MAX_KEPT)]
        for job in old:
            self.remove(job)
        return old


def wrong_state(job: Job, action: str, expected: str) -> RequestError:
    """The refusal of an action that does not fit what a job does."""
    message = f"this job is {job.state}, so it cannot be {action}. It would have to be {expected}."
    return RequestError(409, "wrong-state", message)

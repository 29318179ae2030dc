"""The list of jobs on disk, so that it survives a restart of the server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from boxmask.atomic_write import atomic_write, output_error
from boxmask.errors import OutputError
from boxmask.serving.jobs.job import Job

FOLDER = ".boxmask-jobs"  # hidden: boxmask takes the other folders in --out for runs


class JobStore:
    """The hidden folder in --out with the list of jobs and their messages.

    One server at a time writes it.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER
        self._lock: FileLock | None = None

    @property
    def file(self) -> Path:
        """The list."""
        return self.folder / "jobs.json"

    def messages(self, job: Job) -> Path:
        """The file with what the process of a job prints."""
        return self.folder / f"{job.id}.txt"

    def claim(self) -> bool:
        """Keep other servers out; False if another one has the folder. Raises OutputError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock", thread_local=False)
            lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as error:
            raise output_error(self.folder, error) from error
        self._lock = lock
        return True

    def release(self) -> None:
        """Let other servers have it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def read(self) -> list[Job]:
        """The jobs, in the order of the queue. Raises OutputError for a damaged file, which is kept."""
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            return [Job.from_dict(entry) for entry in content["jobs"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError(
                f"{self.file}: the list of jobs cannot be read ({type(error).__name__}). Move this file away "
                "to begin a new list; the runs stay where they are."
            ) from error

    def write(self, jobs: Sequence[Job]) -> None:
        """Replace the list. Raises OutputError."""
        with atomic_write(self.file) as partial:
            content = {"jobs": [job.to_dict() for job in jobs]}
            partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

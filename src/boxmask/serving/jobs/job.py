"""One job: what was asked for, where its files are, and what has become of it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from boxmask.serving.jobs.request import AnyRequest, request_from

State = Literal["waiting", "running", "stopping", "stopped", "failed", "done"]
ACTIVE = ("running", "stopping")
FOUND = "found-"  # how the ids of such jobs begin
ENDED = ("stopped", "failed", "done")


@dataclass(eq=False)
class Job:
    """A command that waits, runs or has ended.

    request: what was asked for
    data:    path of the data set
    init:    path of the run to start from
    folder:  name of its folder inside --out
    pid, pid_started: of its process, and the time at which that began; None while there is none
    created, started, ended: seconds since 1970
    reason:  why it failed or was stopped, in sentences; "" if there is nothing to say
    """

    request: AnyRequest
    data: str
    folder: str
    init: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    state: State = "waiting"
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    pid: int | None = None
    pid_started: float | None = None
    reason: str = ""

    @property
    def kind(self) -> str:
        """Train, compare or forecast."""
        return self.request.kind

    @property
    def is_found(self) -> bool:
        """Whether no server started it: its folder was found in --out."""
        return self.id.startswith(FOUND)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        plain = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "request"}
        return {**plain, "request": self.request.model_dump(exclude_unset=True)}

    @staticmethod
    def from_dict(content: Any) -> Job:
        """What `to_dict` returned. Raises ValueError, TypeError or KeyError for anything else."""
        job = Job(**{**content, "request": request_from(content["request"])})
        texts = (job.data, job.folder, job.id, job.reason)
        if not all(isinstance(text, str) for text in texts) or job.state not in get_args(State):
            raise ValueError("expected a job")
        return job

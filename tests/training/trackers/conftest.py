"""A tracker that keeps its rows in memory, as users write their own with accelerate's interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from accelerate.tracking import GeneralTracker

from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.training.trackers.programs import PROGRAMS, Program, Settings, StartedTracker


@dataclass
class Server:
    """What a program with a server has received, in all its sessions.

    fail_at: the number of rows at which the next row fails
    """

    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)
    known_ids: list[str | None] = field(default_factory=list)
    num_finished: int = 0
    fail_at: int | None = None
    fails_to_start: bool = False

    def start(self, run: Run, settings: Settings, known_id: str | None) -> StartedTracker:
        if self.fails_to_start:
            raise ConnectionError("no server at\nlocalhost")
        self.settings.append(settings)
        self.known_ids.append(known_id)
        return StartedTracker(MemoryTracker(self), "number 7")


class MemoryTracker(GeneralTracker):  # type: ignore[misc]
    name = "memory"
    requires_logging_directory = False

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server

    @property
    def tracker(self) -> Server:
        return self.server

    def log(self, values: dict[str, float], step: int | None = None, **_: Any) -> None:
        if len(self.server.rows) == self.server.fail_at:
            raise ConnectionError("the server has gone")
        self.server.rows.append((step or 0, values))

    def finish(self) -> None:
        self.server.num_finished += 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server of a program that takes the place of MLflow. Every step has a row."""
    server = Server()
    monkeypatch.setitem(PROGRAMS, "mlflow", Program("json", server.start))
    monkeypatch.setattr("boxmask.training.progress.LOG_SECONDS", 0.0)
    return server


@pytest.fixture
def tracked(recipes: dict[str, Recipe]) -> Recipe:
    """A recipe of four steps and two validations, which saves its state after each step, with a tracker."""
    return replace(
        recipes["classifier"], epochs=2, num_validations=2, save_seconds=1e-6, log_with=("mlflow",)
    )


@pytest.fixture
def logged() -> Callable[[Run], list[int]]:
    """The steps of the rows in a run's log."""
    from boxmask.training.progress import read_log

    return lambda run: [row["step"] for row in read_log(run.log_file)]

"""A session: everything that the stages of a training share, and the order in which they are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from accelerate import Accelerator
from torch import Tensor

from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.contract import Task
from boxmask.training.clock import Clock
from boxmask.training.progress import Report
from boxmask.training.signals import StopRequest
from boxmask.training.state import State

BoxesOf = Callable[[Path], Tensor]  # photo -> (P, 4) xyxy proposals in its pixels


@dataclass
class Session:
    """One training under way.

    task:       the kind of labels
    train, val: the photos to learn from, and to judge by, as the task reads them
    fresh:      a network as it is before the first step
    """

    state: State
    recipe: Recipe
    task: Task[Any, Any]
    train: Any
    val: Any
    run: Run
    accelerator: Accelerator
    report: Report
    stop: StopRequest
    fresh: Callable[[], Model]

    def seconds_left(self) -> float | None:
        """Of the time that was given; None where epochs decide."""
        if self.recipe.minutes is None:
            return None
        return max(0.0, 60 * self.recipe.minutes - self.state.seconds)


class Stage(Protocol):
    """A part of a training with an end of its own.

    name:  in words, for the progress display and the log
    share: of the minutes that are left when it begins, in proportion to those of it and of later stages;
           0: it takes as long as it takes
    """

    name: str
    share: float

    def begin(self, session: Session, minutes: float) -> None:
        """Make what it works with, as it is at its start; `minutes` is its part of the time."""

    def fit(self, session: Session) -> bool:
        """Do it, or what is left of it; False where somebody asked to stop."""


def only_a_clock(session: Session, minutes: float) -> None:
    """How a stage begins that needs no more than to know how long it takes."""
    session.state.begin_stage(Clock(None, minutes))


def minutes_for(stages: Sequence[Stage], number: int, session: Session) -> float:
    """A stage's part of the time that is left for it and those after it.

    Never less than half of what it would have, had the stages before it kept to theirs: a stage that had no
    time would pass for done, and what the others learned would be worth nothing.
    """
    share, minutes = stages[number].share, session.recipe.minutes
    if minutes is None or not share:
        return 0.0
    left = (session.seconds_left() or 0.0) / 60 * share / sum(stage.share for stage in stages[number:])
    return max(left, minutes / 2 * share / sum(stage.share for stage in stages))


def run_stages(stages: Sequence[Stage], session: Session, resumed: bool) -> bool:
    """Do all stages that are not done yet; False where somebody asked to stop.

    Each is begun with its state saved, so that a training that is killed goes on with the stage it was in.
    resumed: the present stage has been begun before
    """
    state = session.state
    while state.stage < len(stages):
        stage = stages[state.stage]
        if not resumed:
            stage.begin(session, minutes_for(stages, state.stage, session))
            if state.stage:
                state.save(session.run)
            elif len(stages) > 1:
                state.save_to_resume(session.run)
        resumed = False
        session.report.begin(stage.name, state.stage + 1, len(stages), state.spent)
        if not stage.fit(session):
            state.save(session.run)
            return False
        state.finish_stage(last=state.stage + 1 == len(stages))
    return True

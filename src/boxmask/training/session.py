"""A training session: what all stages share, and the loop that runs them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from accelerate import Accelerator

from boxmask.errors import BoxmaskError
from boxmask.pipeline.model import Model
from boxmask.runs.recipe import Recipe
from boxmask.runs.run import Run
from boxmask.tasks.contract import Task
from boxmask.training.checkpoints import Checkpoints
from boxmask.training.clock import Clock
from boxmask.training.failure import save_error, save_on_failure
from boxmask.training.progress import Report
from boxmask.training.signals import StopRequest, StopRequested
from boxmask.training.state import State
from boxmask.training.validate import plan

MIN_SHARE = 0.025  # of the minutes: a stage gets this much, or half of its planned minutes if that is less


@dataclass
class Session:
    """One training in progress.

    task:        reads, augments and evaluates the labels
    train, val:  the training and the validation photos, as the task reads them
    new_network: returns a network as it is before the first step
    is_restoring: whether a saved state is about to replace what a stage begins with
    left_out:    messages on the photos that are left out because they cannot be read any more
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
    new_network: Callable[[], Model]
    is_restoring: bool = False
    left_out: list[str] = field(default_factory=list)
    checkpoints: Checkpoints = field(init=False)

    def __post_init__(self) -> None:
        self.checkpoints = Checkpoints(self.state, self.run, self.report)

    def leave_out(self, error: BoxmaskError) -> None:
        """Report a photo that cannot be read any more. Raises its error unless the recipe skips them."""
        if self.recipe.on_bad_photos == "error":
            raise error
        if str(error) not in self.left_out:
            self.left_out.append(str(error))
            self.report.message(f"note: left out: {error}")

    def seconds_left(self) -> float | None:
        """Seconds of training left of the recipe's minutes; None if the recipe gives epochs.

        They do not include the planned validations.
        """
        if self.recipe.minutes is None:
            return None
        state, validations = self.state, self.state.validations
        used = state.seconds + validations.seconds + validations.seconds_ahead(state.num_validated)
        return max(0.0, 60 * self.recipe.minutes - used)

    @contextmanager
    def timed_validation(self) -> Iterator[Clock]:
        """Count the seconds of the block as those of validations. The clock of the stage stands."""
        with self.state.clock.stopped() as clock:
            try:
                yield clock
            finally:
                self.state.validations.seconds += clock.seconds


class Stage(Protocol):
    """A part of a training with its own start and end.

    name:       shown in the progress display and written to the log
    time_share: the stage's share of the minutes left when it begins, relative to the shares of this and all
                later stages; 0 for a stage that takes as long as it needs
    with_validation: whether it evaluates on the validation photos, as often as is planned
    """

    name: str
    time_share: float
    with_validation: bool

    def begin(self, session: Session, minutes: float) -> None:
        """Prepare the state for the start of the stage, which is given `minutes`."""

    def fit(self, session: Session) -> bool:
        """Run the stage, or the rest of it; False if a stop was requested.

        Raises StopRequested instead of returning False where the rest of the stage begins again.
        """

    def seconds_needed(self, session: Session) -> float:
        """Return the seconds that a stage without a share will take, as far as can be told before it begins.

        Raises StopRequested at a stop.
        """


def begin_clock(session: Session, minutes: float) -> None:
    """Begin a stage that needs nothing but a clock."""
    session.state.begin_stage(Clock(None, minutes))


def no_seconds(session: Session) -> float:
    """Return 0, for a stage with a share of the time, and for one that takes next to none."""
    return 0.0


def stage_minutes(stages: Sequence[Stage], number: int, session: Session) -> float:
    """Return the minutes for stage `number`: its share of the time left for it and for the later stages.

    What later stages without a share need is set aside. A stage gets a little time in any case: with none it
    would count as finished, and the work of the others would be lost.
    """
    share, minutes = stages[number].time_share, session.recipe.minutes
    if minutes is None or not share:
        return 0.0
    needed = sum(stage.seconds_needed(session) for stage in stages[number + 1 :])
    minutes_left = max(0.0, (session.seconds_left() or 0.0) - needed) / 60
    planned = minutes * share / sum(stage.time_share for stage in stages)
    given = minutes_left * share / sum(stage.time_share for stage in stages[number:])
    return max(given, min(planned / 2, minutes * MIN_SHARE))


def run_stages(stages: Sequence[Stage], session: Session, resumed: bool) -> bool:
    """Run all stages that are not done yet; False if a stop was requested.

    The state is saved when a stage begins, so that a killed training resumes in the same stage. It is saved
    as well at a stop, and before an error.

    resumed: whether the current stage has already begun

    Raises TrainingError if the state cannot be saved at a stop, and for errors that are not boxmask's.
    """
    state = session.state
    while state.stage < len(stages):
        with save_on_failure(session):
            if not resumed and not _begin(stages, session):
                return False  # the state on disk is the end of the previous stage
            resumed = False
            finished = _fit(stages, session)
        if not finished:
            if not session.checkpoints.is_current and not session.checkpoints.save():
                raise save_error(session)
            return False
        state.finish_stage(last=state.stage + 1 == len(stages))
    return True


def _begin(stages: Sequence[Stage], session: Session) -> bool:
    """Begin the current stage; False if a stop was requested meanwhile."""
    state, stage = session.state, stages[session.state.stage]
    state.consistent = False  # half of the state is that of the previous stage
    before = state.clock
    try:
        if stage.time_share and not state.validations.planned:
            plan(session, any(later.with_validation for later in stages))
        stage.begin(session, stage_minutes(stages, state.stage, session))
    except StopRequested:
        return False
    if state.stage:  # else the clock has counted from before the training
        state.earlier_seconds += before.seconds
    state.consistent = True
    if len(stages) > 1:
        session.checkpoints.save(weights=state.stage > 0)
        session.checkpoints.saved_at = None
    return True


def _fit(stages: Sequence[Stage], session: Session) -> bool:
    """Run the current stage; False if a stop was requested."""
    state, stage = session.state, stages[session.state.stage]
    session.report.begin_stage(stage.name, state.stage + 1, len(stages), state.earlier_seconds)
    try:
        return stage.fit(session)
    except StopRequested:
        return False

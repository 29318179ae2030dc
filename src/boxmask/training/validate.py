"""Evaluation on the validation photos during training; the best weights are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from boxmask.errors import PhotoError
from boxmask.evaluation.detection.best_f1 import best_min_scores
from boxmask.options import option
from boxmask.training.clock import Clock
from boxmask.training.loader import READ_ERRORS
from boxmask.training.predictions import write_predictions
from boxmask.training.validation_plan import (
    MAX_SHARE,
    PLANNED_SHARE,
    describe_plan,
    plan_validations,
    sample_photos,
)

if TYPE_CHECKING:
    from boxmask.training.session import Session

Metrics: TypeAlias = dict[str, Any]
"""The metrics of an evaluation by name."""

MEASURED_PHOTOS = 8  # for the speed, after a first one
MEASURED_SHARE = 0.02  # of the minutes: the most that measuring takes, unless one photo takes longer
SLOW_SHARE = 0.03  # of the minutes: a single photo that takes longer is not measured again
GRACE_SHARE, GRACE_SECONDS = 0.03, 2.0  # beyond the minutes that the last validation may take: the larger one


def plan(session: Session, between: bool) -> None:
    """Plan the validations of a training, and report a plan with less than the recipe asks for.

    With epochs, they are as many as asked for, on all photos. With minutes, their speed is measured first.

    between: whether any validation comes between the start and the end; if there is only the one at the end,
             it is measured there

    Raises StopRequested at a stop.
    """
    recipe, validations = session.recipe, session.state.validations
    if not session.val:
        validations.planned = recipe.validations
        if recipe.patience is not None:
            session.report.message(f"note: {option('patience')} has no effect without validation photos")
        return
    wanted, num_photos = recipe.validations if between else 1, len(session.val)
    validations.planned, validations.photos = wanted, num_photos
    if recipe.minutes is None:
        return
    if not between and not session.state.starts_trained:
        validations.reserved = PLANNED_SHARE * 60 * recipe.minutes
        return
    _measure_speed(session)
    extra = int(session.state.starts_trained)  # compared with the later ones, so that two are the least
    at_least = extra + min(wanted, 1 + (recipe.patience or 0))
    seconds = PLANNED_SHARE * 60 * recipe.minutes - validations.seconds
    planned, validations.photos = plan_validations(
        extra + wanted, num_photos, validations.seconds_per_photo, max(0.0, seconds), at_least
    )
    validations.planned = planned - extra
    note = describe_plan(validations.planned, validations.photos, wanted, num_photos)
    if note:
        session.report.message(note)


def validate(session: Session, progress: float) -> None:
    """Evaluate on the validation photos at `progress` in 0..1, and save the weights if they are the best.

    The task's first metric that could be computed decides. If it is equal, the later weights are kept.
    Without validation photos, the latest weights count as the best.

    Raises StopRequested if a stop was requested meanwhile; the validation then counts as not begun.
    """
    state, report = session.state, session.report
    num_validated = int(progress * _num_planned(session))
    if not len(session.val):
        state.num_validated = num_validated
        session.checkpoints.save_best(state.best)
        return
    count, evaluation = _evaluate_due(session, progress)
    state.num_validated = num_validated
    metrics = {name: evaluation[name] for name in session.task.metrics if evaluation.get(name) is not None}
    num_seen = len(evaluation.get("seen_photos") or ())
    seen = {"seen_photos": num_seen} if num_seen else {}
    logged = {**metrics, "images": evaluation["images"], **seen}
    state.metrics = {**logged, **best_min_scores(evaluation)}
    report.write_log({"step": state.clock.step, "minutes": state.seconds / 60, "val": logged})
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    num_photos = len(session.val)
    sample = f" ({count} of {num_photos} photos, for lack of time)" if count < num_photos else ""
    report.message(f"{100 * progress:3.0f} %  validation: {shown}{sample}")
    metric = deciding_metric(session.task.metrics, metrics)
    state.validations.count(metric)
    if (minutes := session.recipe.minutes) is not None:
        state.validations.fit_into(MAX_SHARE * 60 * minutes - state.validations.seconds, num_validated)
    if metric >= session.checkpoints.best_metric:
        session.checkpoints.save_best(metric)
    write_predictions(session, progress)


def give_time_left(session: Session) -> None:
    """Give the last stage all of the time that is left, after a validation that was longer or shorter."""
    seconds = session.seconds_left()
    if seconds is not None:
        session.state.clock.minutes = (session.state.clock.seconds + seconds) / 60


def validation_is_due(session: Session) -> bool:
    """Whether to validate now.

    Validations are spread evenly; the last one comes after the last stage. A training that starts from
    trained weights begins with one.
    """
    state, progress = session.state, session.state.clock.progress
    is_due = progress < 1 and int(progress * _num_planned(session)) > state.num_validated
    return is_due or start_is_due(session)


def start_is_due(session: Session) -> bool:
    """Whether the weights that a training starts from are still to be evaluated."""
    state = session.state
    is_start = state.clock.step == 0 and state.validations.highest < 0
    return state.starts_trained and is_start and bool(len(session.val))


def is_out_of_patience(session: Session) -> bool:
    """Whether the metric has not risen for as many validations as the recipe waits for."""
    patience = session.recipe.patience
    return patience is not None and session.state.validations.stale >= patience


def deciding_metric(names: Sequence[str], metrics: Mapping[str, float]) -> float:
    """Return the first of the metrics called `names` that could be computed; 0 if none could."""
    return next((metrics[name] for name in names if name in metrics), 0.0)


# ---------------------------------------------------------------- time


def _measure_speed(session: Session) -> tuple[int, Metrics]:
    """Measure the seconds per photo on a few photos; returns their number and their metrics."""
    given, count = 60 * (session.recipe.minutes or 0.0), 1
    evaluation, seconds = _evaluate(session, count)
    if seconds <= SLOW_SHARE * given:  # the first photo was slower than the others will be
        affordable = int(MEASURED_SHARE * given / max(seconds, 1e-6))
        count = max(1, min(MEASURED_PHOTOS, len(session.val), affordable))
        evaluation, seconds = _evaluate(session, count)
    session.state.validations.seconds_per_photo = max(seconds / count, 1e-6)
    return count, evaluation


def _evaluate_due(session: Session, progress: float) -> tuple[int, Metrics]:
    """Evaluate on the planned photos, so that validations can be compared; returns their number and metrics.

    If there was no validation before the end, there are as many photos as fit into the rest of the minutes.
    """
    validations, minutes = session.state.validations, session.recipe.minutes
    count = min(validations.photos or len(session.val), len(session.val))
    if minutes is not None and progress >= 1 and validations.highest < 0:
        is_quick = 0 < validations.seconds_per_photo * count <= GRACE_SECONDS
        if not is_quick or count < len(session.val):
            measured, evaluation = _measure_speed(session)
            count = _num_fitting(session, count, minutes)
            if count <= measured:
                return measured, evaluation
    evaluation, seconds = _evaluate(session, count)
    validations.seconds_per_photo = seconds / count
    return count, evaluation


def _num_fitting(session: Session, planned: int, minutes: float) -> int:
    """The number of photos of a validation at the end that fit into the rest of the minutes."""
    validations = session.state.validations
    left = 60 * minutes - session.state.seconds - validations.seconds
    fitting = min(len(session.val), int(left / validations.seconds_per_photo))
    grace = max(GRACE_SECONDS, GRACE_SHARE * 60 * minutes)
    if planned * validations.seconds_per_photo <= left + grace:
        return max(planned, fitting)
    return max(1, fitting)


def _num_planned(session: Session) -> int:
    """The number of validations; as the recipe says where an earlier version began without a plan."""
    return session.state.validations.planned or session.recipe.validations


# ---------------------------------------------------------------- one evaluation


def _evaluate(session: Session, count: int) -> tuple[Metrics, float]:
    """Evaluate on a sample of `count` photos; returns the metrics, and the seconds that it took."""
    with session.timed_validation() as clock:
        session.report.restart_estimate()
        try:
            evaluation = _evaluate_sample(session, count, clock)
        except READ_ERRORS as error:
            session.leave_out(error)
            session.val = _readable(session)
            evaluation = _evaluate_sample(session, count, clock)
        return evaluation, clock.seconds


def _evaluate_sample(session: Session, count: int, clock: Clock) -> Metrics:
    def advance(done: int, total: int) -> None:
        clock.skip_pause()
        session.report.advance(done, total, "validation photos")
        session.stop.check()

    photos, network = session.val, session.state.result.eval()
    if count < len(photos):
        photos = photos.subset(sample_photos(len(photos), count, session.recipe.seed))
    evaluation: Metrics = session.task.validate(network, photos, session.recipe, advance)
    return evaluation


def _readable(session: Session) -> Any:
    """The validation photos that can still be read. Raises PhotoError if there are none."""
    readable = []
    for photo in range(len(session.val)):
        session.stop.check()
        try:
            session.task.sample(session.val, photo, session.state.network.config)
        except READ_ERRORS as error:
            session.leave_out(error)
        else:
            readable.append(photo)
    if not readable:
        raise PhotoError("none of the validation photos can be read any more. Restore them.")
    return session.val.subset(np.array(readable, dtype=np.int64))

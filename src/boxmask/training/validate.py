"""Evaluation on the validation photos during training; the best weights are saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from boxmask.errors import PhotoError
from boxmask.training.loader import READ_ERRORS
from boxmask.training.session import Session


def validate(session: Session, progress: float) -> None:
    """Evaluate on the validation photos at `progress` in 0..1, and save the weights if they are the best.

    The task's first metric that could be computed decides. If it is equal, the later weights are kept.
    Without validation photos, the latest weights count as the best.

    Raises StopRequested if a stop was requested meanwhile; the validation then counts as not begun.
    """
    state, report = session.state, session.report
    num_validated = int(progress * session.recipe.validations)
    if not len(session.val):
        state.num_validated = num_validated
        session.checkpoints.save_best(state.best)
        return
    minutes = state.seconds / 60  # taken first: evaluation does not count as training time
    evaluation = _evaluate(session)
    state.num_validated = num_validated
    values = {name: evaluation.get(name) for name in session.task.metrics}
    metrics = {name: value for name, value in values.items() if value is not None}
    seen = {"seen_photos": count} if (count := len(evaluation.get("seen_photos") or ())) else {}
    state.metrics = {**metrics, "images": evaluation["images"], **seen}
    report.write_log({"step": state.clock.step, "minutes": minutes, "val": state.metrics})
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    report.message(f"{100 * progress:3.0f} %  validation: {shown}")
    metric = deciding_metric(session.task.metrics, metrics)
    if metric >= session.checkpoints.best_metric:
        session.checkpoints.save_best(metric)


def validation_is_due(session: Session) -> bool:
    """Whether to validate now. Validations are spread evenly; the last one comes after the last stage."""
    progress = session.state.clock.progress
    return progress < 1 and int(progress * session.recipe.validations) > session.state.num_validated


def deciding_metric(names: Sequence[str], metrics: Mapping[str, float]) -> float:
    """Return the first of the metrics called `names` that could be computed; 0 if none could."""
    return next((metrics[name] for name in names if name in metrics), 0.0)


def _evaluate(session: Session) -> dict[str, Any]:
    report, network = session.report, session.state.result.eval()
    report.restart_estimate()

    def advance(done: int, total: int) -> None:
        report.advance(done, total, "validation photos")
        session.stop.check()

    try:
        return session.task.validate(network, session.val, session.recipe, advance)
    except READ_ERRORS as error:
        session.leave_out(error)
        session.val = _readable(session)
    return session.task.validate(network, session.val, session.recipe, advance)


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

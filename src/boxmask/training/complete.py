"""A training from its first or its saved step to its end, or to a stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from boxmask.data.contract import SPLITS
from boxmask.errors import OutputError
from boxmask.messages import format_count, shorten_note
from boxmask.training.curve import draw_curve
from boxmask.training.failure import save_error, save_on_failure
from boxmask.training.session import Session, Stage, run_stages
from boxmask.training.signals import StopRequested, stop_on_signals
from boxmask.training.validate import validate


def complete_training(session: Session, stages: Sequence[Stage], dataset: Any, *, resumed: bool) -> bool:
    """Train to the end or to a stop, validate at the end, and draw the curve; True at the end.

    resumed: whether the current stage has already begun
    """
    run, report = session.run, session.report
    report.log = run.log_file
    with report, stop_on_signals(session.stop):
        _report_data(session, dataset)
        finished = run_stages(stages, session, resumed) and _finish(session)
        _draw_curve(session)
        if session.left_out:
            count = format_count(len(session.left_out), "photo")
            report.message(f"note: left out while training: {count} that could not be read, named above")
        if finished:
            run.remove_leftovers()
    return finished


def _finish(session: Session) -> bool:
    """Validate, and save the last weights with the metrics; False if a stop was requested meanwhile.

    Raises TrainingError if the weights cannot be saved.
    """
    try:
        with save_on_failure(session):
            validate(session, 1.0)
    except StopRequested:
        saved, finished = session.checkpoints.save(), False
    else:
        saved, finished = session.checkpoints.save_final(), True
    if not saved:
        raise save_error(session)
    return finished


def _draw_curve(session: Session) -> None:
    try:
        draw_curve(session.run.log_file, session.run.curve_file)
    except OutputError as error:
        session.report.message(f"warning: {error} The run has no curve.")


def _report_data(session: Session, dataset: Any) -> None:
    photos, report = session.task.photos(dataset), session.report
    objects = f", with {_split_sizes(dataset)} objects to classify" if len(dataset) != len(photos) else ""
    names = ", ".join(dataset.class_names[:8]) + (", ..." if len(dataset.class_names) > 8 else "")
    report.message(
        f"{session.recipe.model} on {dataset.root}: {_split_sizes(photos)} photos{objects}; {names}"
    )
    for note in dataset.notes:
        report.message(f"note: {shorten_note(note, session.run.notes_file)}")
    report.message(f"run: {session.run.path}")


def _split_sizes(dataset: Any) -> str:
    return ", ".join(f"{len(dataset.split(name))} {name}" for name in SPLITS)

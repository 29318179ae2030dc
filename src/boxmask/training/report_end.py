"""What a training says when it ends: that it ended early, and that the model has learned nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boxmask.messages import format_count
from boxmask.options import option
from boxmask.training.validate import is_out_of_patience

if TYPE_CHECKING:
    from boxmask.training.session import Session

NOTHING_LEARNED = 0.01  # a deciding metric below this


def report_end(session: Session) -> None:
    """Say why a training ended early, and that a model has learned nothing."""
    state, report = session.state, session.report
    if is_out_of_patience(session) and state.clock.progress < 1:
        count = format_count(state.validations.stale, "validation")
        report.message(f"training ended early: the metric has not risen for {count}")
    name = next((name for name in session.task.metrics if name in state.metrics), None)
    if name is not None and state.metrics[name] < NOTHING_LEARNED:
        report.message(
            f"note: the model has learned next to nothing ({name} {state.metrics[name]:.3f}). "
            f"{_remedy(session)}"
        )


def _remedy(session: Session) -> str:
    """What to do about a model that has learned nothing."""
    clock = session.state.clock
    if clock.total_steps is None and 0 < clock.passes < 1:
        return f"The training was too short: raise {option('max_minutes')}."
    return (
        f"Look for label errors with boxmask check, raise {option('max_minutes')}, or raise "
        f"{option('size')} if objects are small."
    )

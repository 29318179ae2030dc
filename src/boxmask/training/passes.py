"""How often a training uses each photo, and a warning where its minutes are too few to use each one once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boxmask.messages import format_count
from boxmask.options import option

if TYPE_CHECKING:
    from boxmask.training.session import Session

FIRST_STEPS, FIRST_SECONDS, FIRST_PART = 5, 5.0, 0.1  # after which the speed is known
ENOUGH_PASSES = 3


def speed_is_known(session: Session) -> bool:
    """Whether enough steps are done to tell how many passes the minutes are enough for."""
    clock = session.state.clock
    return clock.step >= FIRST_STEPS and (clock.seconds >= FIRST_SECONDS or clock.progress >= FIRST_PART)


def warn_of_few_passes(session: Session) -> None:
    """Warn if the stage will end before each photo was used once. With epochs, it never does."""
    clock, speed = session.state.clock, session.report.images_per_second()
    planned = speed * 60 * clock.minutes / max(1, len(session.train))
    if clock.total_steps is None and 0 < planned < 1:
        session.report.message(
            f"warning: at {_two_digits(speed)} images per second, the time is enough for {planned:.2g} "
            f"passes over {_format_items(session)}. {_minutes_needed(session, planned)}"
        )


def report_passes(session: Session) -> None:
    """Report the steps and passes of a stage that has ended; fewer than one pass is a warning."""
    clock, items = session.state.clock, _format_items(session)
    number = f"{clock.passes:.1f}" if clock.passes >= 1 else f"{clock.passes:.2g}"
    passes = "1 pass" if number == "1.0" else f"{number} passes"
    session.report.message(f"{format_count(clock.step, 'step')}, {passes} over {items}")
    if clock.total_steps is None and 0 < clock.passes < 1:
        session.report.message(
            f"warning: the training has used only {clock.passes:.0%} of the {_item(session)}s. "
            f"{_minutes_needed(session, clock.passes)}"
        )


def _item(session: Session) -> str:
    """What the network is trained on: photos, or the objects that are cropped from them."""
    return "photo" if len(session.task.photos(session.train)) == len(session.train) else "object"


def _format_items(session: Session) -> str:
    return format_count(len(session.train), _item(session))


def _two_digits(number: float) -> str:
    """A number with two digits or more, never with an exponent as in 1.2e+02."""
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def _minutes_needed(session: Session, passes: float) -> str:
    """Say how many minutes are enough, if the recipe's minutes are enough for this many passes."""
    needed = math.ceil((session.recipe.minutes or 0.0) * ENOUGH_PASSES / passes)
    return (
        f"{ENOUGH_PASSES} passes take about {format_count(needed, 'minute')}: raise {option('max_minutes')}, "
        f"or lower {option('size')}."
    )

"""Signals end the program with one line and without a traceback.

SIGINT (Ctrl-C), SIGTERM (`kill`, service managers) and SIGHUP (a closed terminal) are treated alike:
the exit code is 130.

1. While the program starts, it ends at once.
2. While a verb works, KeyboardInterrupt ends it, so that unfinished files are removed.
3. While it trains, `boxmask.training.signals` takes over: the training is saved.
"""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager

from boxmask.program_start import end_program
from boxmask.stop_signals import STOP_SIGNALS, handle_stop_signals


def exit_on_signals() -> AbstractContextManager[None]:
    """A block in which a stop signal ends the process at once."""
    return handle_stop_signals(end_program)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt on a signal for the rest of the block of `exit_on_signals`, if there is one."""
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is end_program:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt

"""What a signal does to the program: it ends with one line, without a traceback.

SIGINT (Ctrl-C), SIGTERM (`kill`, service managers) and SIGHUP (a closed terminal) are treated alike, and the
exit code is 130 for all of them.

1. While the program starts, it ends at once. An exception would not do: raised within an import, it may be
   printed or swallowed.
2. While a verb works, KeyboardInterrupt ends it, so that unfinished files are removed.
3. While it trains, `boxmask.training.signals` takes over: the training is saved.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended, as in shells
MESSAGE = "boxmask: stopped.\n"
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGBREAK", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """End the process at once on a signal within the block. With `nohup`, SIGHUP stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt on a signal for the rest of the block of `exit_on_signals`, if there is one."""
    for number in SIGNALS:
        if signal.getsignal(number) is _exit:
            signal.signal(number, _interrupt)


def _exit(number: int, frame: FrameType | None) -> None:
    if (claims := sys.modules.get("boxmask.runs.claim")) is not None:
        claims.abandon_claims()
    try:
        os.write(2, MESSAGE.encode())
    finally:
        os._exit(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""What a signal does to the program: it ends with one line, without a traceback.

SIGINT (Ctrl-C), SIGTERM (`kill`, service managers) and SIGHUP (a closed terminal) are treated alike, and the
exit code is 130 for all of them.

1. While the program starts, it ends at once.
2. While a verb works, KeyboardInterrupt ends it, so that unfinished files are removed.
3. While it trains, `boxmask.training.signals` takes over: the training is saved.
"""

from __future__ import annotations

import signal

from boxmask.program_start import end_program

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGBREAK", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class ExitOnSignals:
    """A block in which a signal ends the process at once. With `nohup`, SIGHUP stays ignored.

    In other threads than the main one, signals stay as they are.
    """

    def __enter__(self) -> None:
        self.before = {number: signal.getsignal(number) for number in SIGNALS}
        if self.before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:
            del self.before[signal.SIGHUP]
        try:
            for number in self.before:
                signal.signal(number, end_program)
        except ValueError:  # not in the main thread
            self.before = {}

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt on a signal for the rest of the block of `ExitOnSignals`, if there is one."""
    for number in SIGNALS:
        if signal.getsignal(number) is end_program:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt

"""Stopping on a signal: Ctrl-C or SIGTERM ends training after the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C, and Ctrl-Break on Windows: the terminal sends them to every process, data loader workers included
KEYBOARD_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name))

# on Windows SIGTERM exists, but no other process can send it
STOP_SIGNALS = (*KEYBOARD_SIGNALS, signal.SIGTERM)


class StopRequest:
    """Whether a stop was requested: a signal sets it, and the stages check it."""

    def __init__(self) -> None:
        self.requested = False

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Request a stop. A second signal raises KeyboardInterrupt, which stops at once."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def stop_on_signals(stop: StopRequest) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM request a stop within the block.

    Python allows signal handlers in the main thread only; in other threads, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop.handle_signal) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_keyboard_signals() -> None:
    """Ignore Ctrl-C in a worker process: the training process stops its workers itself."""
    for number in KEYBOARD_SIGNALS:
        signal.signal(number, signal.SIG_IGN)

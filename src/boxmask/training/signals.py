"""Stopping on a signal: Ctrl-C, SIGTERM or a closed terminal ends training after the current step.

Terminals and service managers send signals to every process of a group. The training process alone handles
them; its workers ignore them, and end when it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from boxmask.stop_signals import STOP_SIGNALS, handle_stop_signals, in_main_thread

CHILD_SIGNAL: signal.Signals | None = getattr(signal, "SIGCHLD", None)  # a worker has ended


class StopRequested(Exception):
    """Ends a piece of work, such as a validation, because a stop was requested. Never leaves a training."""


class StopRequest:
    """Whether a stop was requested: a signal sets it, and the stages check it."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def requested(self) -> bool:
        """Whether there was a signal."""
        return self.count > 0

    def check(self) -> None:
        """Raise StopRequested if a stop was requested."""
        if self.requested:
            raise StopRequested

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Request a stop. The third signal raises KeyboardInterrupt, which stops without saving.

        The second is ignored: Ctrl-C and the SIGTERM of a service manager may come together, and people press
        Ctrl-C twice.
        """
        self.count += 1
        if self.count > 2:
            raise KeyboardInterrupt


def stop_on_signals(stop: StopRequest) -> AbstractContextManager[None]:
    """Make the stop signals request a stop within the block; see `handle_stop_signals`."""
    return handle_stop_signals(stop.handle_signal)


@contextmanager
def hold_back_signals() -> Iterator[None]:
    """Hold back the stop signals until the end of the block.

    Processes that are started in the block never receive them: they inherit the blocked signals.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def ignore_worker_errors() -> Iterator[None]:
    """Keep torch from raising an error within the block because a worker has ended.

    torch's handler of SIGCHLD raises RuntimeError wherever the program is. Without it, the end of a worker is
    noticed when the next batch is due.
    """
    handler = signal.getsignal(CHILD_SIGNAL) if CHILD_SIGNAL and in_main_thread() else None
    if CHILD_SIGNAL is None or not callable(handler):
        yield
        return
    signal.signal(CHILD_SIGNAL, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(CHILD_SIGNAL, handler)


def prepare_worker() -> None:
    """Make a worker process ignore the stop signals, and end as soon as the training process has ended."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

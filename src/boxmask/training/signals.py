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
from contextlib import contextmanager
from types import FrameType

# Ctrl-C, Ctrl-Break on Windows, the request of `kill` and of service managers, and a closed terminal. On
# Windows SIGTERM exists, but no other process can send it.
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGBREAK", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

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


@contextmanager
def stop_on_signals(stop: StopRequest) -> Iterator[None]:
    """Make the stop signals request a stop within the block. With `nohup`, SIGHUP stays ignored.

    Python allows signal handlers in the main thread only; in other threads, signals stay as they are.
    """
    if not _in_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, stop.handle_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextmanager
def hold_back_signals() -> Iterator[None]:
    """Hold back the stop signals until the end of the block.

    Processes that are started in the block never receive them: they are started with the signals blocked.
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
def hold_back_worker_errors() -> Iterator[None]:
    """Keep torch from raising an error within the block because a worker has ended.

    Its handler of SIGCHLD raises RuntimeError wherever the program is. A worker that ends within the block is
    noticed when the next batch is due.
    """
    handler = signal.getsignal(CHILD_SIGNAL) if CHILD_SIGNAL and _in_main_thread() else None
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


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()

"""The time that compiling loops takes in this process, and a notice when it begins.

numba announces each compilation by an event; loading a loop from its cache is not announced. numba calls its
events experimental. In a version without them, compiling counts as work, and there is no notice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from numba.core.event import Listener, register
except ImportError:
    HAS_EVENTS = False
else:
    HAS_EVENTS = True

EVENT = "numba:compile"
COMPILING = "compiling kernels, once after the installation"


class CompileTimer:
    """Adds up the seconds between the first start and the last end of nested compilations."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.notices: list[Callable[[], None]] = []
        self.depth, self.began, self.process = 0, 0.0, os.getpid()

    def on_start(self, event: Any) -> None:
        """Begin to count; numba holds its lock meanwhile."""
        if not self.depth:
            self.began = time.monotonic()
            if self.process == os.getpid():  # a forked process has inherited the notices
                for notice in list(self.notices):
                    notice()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        """Count, if this is the outermost compilation."""
        self.depth -= 1
        if not self.depth:
            self.seconds += time.monotonic() - self.began


_timer = CompileTimer()

if HAS_EVENTS:

    class _Listener(Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            _timer.on_start(event)

        def on_end(self, event: Any) -> None:
            _timer.on_end(event)

    register(EVENT, _Listener())


def compile_seconds() -> float:
    """Return the seconds that this process has compiled loops for."""
    return _timer.seconds


@contextmanager
def notice_compilation(notice: Callable[[], None]) -> Iterator[None]:
    """Call `notice` once, when the first loop is compiled within the block."""

    def once() -> None:
        _timer.notices.remove(once)
        notice()

    _timer.notices.append(once)
    try:
        yield
    finally:
        if once in _timer.notices:
            _timer.notices.remove(once)

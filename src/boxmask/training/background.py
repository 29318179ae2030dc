"""Run long library calls in a thread, so that a stop need not wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.2

ResultT = TypeVar("ResultT")


def run_in_background(work: Callable[[], ResultT], check: Callable[[], None] | None) -> ResultT:
    """Run `work` in a thread and return its result; call `check` several times per second meanwhile.

    If `check` raises, the thread is abandoned: it ends with its work, or with the process. Raises what
    `check` and `work` raise. Without `check`, `work` runs in this thread.
    """
    if check is None:
        return work()
    results: list[ResultT] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        check()
        thread.join(POLL_SECONDS)
    check()
    if errors:
        raise errors[0]
    return results[0]

"""Work that a stop can cut short: long calls of libraries, which look at no signal themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.2

ResultT = TypeVar("ResultT")


def run_in_background(work: Callable[[], ResultT], check: Callable[[], None] | None) -> ResultT:
    """Return the result of `work`, which runs in a thread; `check` is called several times per second.

    If `check` raises, the thread is left alone: it ends with its work, or with the process. Raises what
    `check` and `work` raise. Without `check`, no thread is started.
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

"""Threads that read the next photos and write the last results while the model works."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

READERS = min(4, os.cpu_count() or 1)


@contextmanager
def threads(count: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads. At the end of the block, tasks that have not begun are dropped."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=f"boxmask-{name}")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def read_ahead(pool: ThreadPoolExecutor, items: Iterator[ItemT], ahead: int) -> Iterator[ItemT]:
    """The items of an iterator, in order. A pool of one thread takes `ahead` items before they are asked for.

    No item may be None.
    """
    pending = deque(pool.submit(next, items, None) for _ in range(ahead))
    while (item := pending.popleft().result()) is not None:
        pending.append(pool.submit(next, items, None))
        yield item


def work_ahead(
    pool: ThreadPoolExecutor, work: Callable[[ItemT], ResultT], items: Iterable[ItemT], ahead: int
) -> Iterator[Future[ResultT]]:
    """The results of `work` for each item, in order. `ahead` more items are in work, or done, at any time."""
    pending: deque[Future[ResultT]] = deque()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > ahead:
            yield pending.popleft()
    while pending:
        yield pending.popleft()

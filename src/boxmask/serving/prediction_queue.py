"""One queue for the photos of all requests, with a bound, and the threads that predict them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from boxmask.serving.errors import ClientGoneError, RequestError

ResultT = TypeVar("ResultT")

FIRST_GUESS = 0.5  # seconds per photo, before any was predicted
MAX_RETRY_AFTER = 60  # seconds


class PredictionQueue:
    """Runs the work for photos in threads, first come, first served.

    limit:   photos that wait or are in work, of all requests; a request with more is refused
    workers: threads

    A model sees one photo at a time, so that its result does not depend on other photos. Batches would
    therefore not be faster. Use it in one event loop.
    """

    def __init__(self, limit: int, workers: int) -> None:
        self.limit, self._workers = limit, workers
        self._size = 0
        self._seconds = FIRST_GUESS
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="boxmask-serve")

    @property
    def size(self) -> int:
        """The photos that wait or are in work."""
        return self._size

    def check_room(self, count: int = 1) -> None:
        """Raise RequestError if the queue has no room for so many photos."""
        if self._size + count > self.limit:
            raise RequestError(
                429,
                "queue-full",
                f"the queue is full: {self._size} of {self.limit} photos. Try again later.",
                self._retry_after(),
            )

    async def run(
        self,
        tasks: Sequence[Callable[[], ResultT]],
        timeout: float,
        client_gone: Callable[[], Awaitable[None]],
    ) -> list[ResultT]:
        """The results of all tasks, one per photo.

        client_gone: returns once nobody waits for the results any more

        If a task fails, or on a timeout, those that have not begun are dropped. Raises RequestError if there
        is no room or on a timeout, ClientGoneError, and what the tasks raise.
        """
        self.check_room(len(tasks))
        futures = [self._submit(task) for task in tasks]
        work = asyncio.gather(*map(asyncio.wrap_future, futures))
        work.add_done_callback(_note_end)
        leaving = asyncio.ensure_future(client_gone())
        either: list[asyncio.Future[Any]] = [work, leaving]
        try:
            await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if leaving.done():
                raise ClientGoneError
            raise RequestError(
                503,
                "timeout",
                f"the photos were not predicted within {timeout:g} seconds. Send fewer at a time.",
                self._retry_after(),
            )
        finally:
            leaving.cancel()
            work.cancel()
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Drop what has not begun. What is in work is finished in its thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, task: Callable[[], ResultT]) -> Future[ResultT]:
        loop = asyncio.get_running_loop()
        self._size += 1

        def timed() -> ResultT:
            start = time.monotonic()
            result = task()
            loop.call_soon_threadsafe(self._learn, time.monotonic() - start)
            return result

        def leave(_: Future[ResultT]) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._leave)

        future = self._pool.submit(timed)
        future.add_done_callback(leave)
        return future

    def _leave(self) -> None:
        self._size -= 1

    def _learn(self, seconds: float) -> None:
        """Keep a moving average of the seconds per photo."""
        self._seconds += 0.1 * (seconds - self._seconds)

    def _retry_after(self) -> int:
        """Seconds until about half of the queue is done."""
        expected = self._seconds * self._size / self._workers / 2
        return max(1, min(MAX_RETRY_AFTER, math.ceil(expected)))


def _note_end(work: asyncio.Future[Any]) -> None:
    """Take note of how work ended that nobody waits for any more; asyncio would log it."""
    if not work.cancelled():
        work.exception()

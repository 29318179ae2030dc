"""Read the body of a request into memory, within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from boxmask.serving.errors import RequestError

BODIES_AT_ONCE = 8
"""The bodies of all open requests together take at most this many times the limit of one."""

READ_SECONDS = 30
MAX_DRAINED = 2**26  # bytes of a refused request that are read, so that its client reads the answer


class BodyReader:
    """Reads bodies. All open ones together stay below a limit.

    max_bytes: of one body
    seconds:   until a body that is not complete is given up
    """

    def __init__(self, max_bytes: int, seconds: float = READ_SECONDS) -> None:
        self._max_bytes, self._seconds = max_bytes, min(seconds, READ_SECONDS)
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request. Its bytes count as held until the end of the block.

        Raises RequestError for a body that is too large, too slow or compressed, and while too many others
        are held.
        """
        if (encoding := request.headers.get("content-encoding", "identity").lower()) != "identity":
            raise RequestError(
                415, "compressed", f"the body is compressed ({encoding[:40]}). Send it as it is."
            )
        self._check_announced(request)
        body = bytearray()
        try:
            await self._receive(request, body)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _receive(self, request: Request, body: bytearray) -> None:
        """Add the chunks of a request to `body`, and count them as held. Raises RequestError."""
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    self._check(len(body) + len(chunk), len(chunk))
                    self._held += len(chunk)
                    body += chunk
        except TimeoutError as error:
            raise RequestError(
                408,
                "body-slow",
                f"the request was not complete after {self._seconds:g} seconds. Send fewer or smaller "
                "photos.",
            ) from error
        except ClientDisconnect as error:
            raise RequestError(400, "body-incomplete", "the request ended before it was complete.") from error

    def _check_announced(self, request: Request) -> None:
        """Raise RequestError for a body that announces that it is too large."""
        announced = request.headers.get("content-length", "")
        if announced.isdecimal():
            self._check(int(announced), 0)

    def _check(self, size: int, added: int) -> None:
        if size > self._max_bytes:
            raise RequestError(
                413,
                "body-too-large",
                f"the request is too large: at most {self._max_bytes / 1e6:g} MB are read. Send fewer photos "
                "per request, or start the server with a larger --max-mb.",
            )
        if self._held + added > BODIES_AT_ONCE * self._max_bytes:
            raise RequestError(
                429, "memory-full", "the requests in work hold too much memory. Try again later.", 2
            )


@asynccontextmanager
async def drain_refused(request: Request) -> AsyncIterator[None]:
    """Drain a request that is refused in the block."""
    try:
        yield
    except RequestError:
        await drain(request)
        raise


async def drain(request: Request) -> None:
    """Read and drop the rest of a body: many clients read no answer before they have sent everything."""
    left = MAX_DRAINED
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > left:
        return
    try:
        async with asyncio.timeout(5):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):  # RuntimeError: it was read already
        return

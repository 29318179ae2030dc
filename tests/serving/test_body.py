"""The body of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from tests.serving.conftest import Serve

from boxmask.serving.body import BodyReader


async def stream() -> AsyncIterator[bytes]:
    yield b"photo"


def test_a_timeout_of_the_work_is_not_taken_for_a_slow_body() -> None:
    reader = BodyReader(100)
    request: Any = SimpleNamespace(headers={}, stream=stream)

    async def work() -> None:
        async with reader.read(request) as body:
            assert body == b"photo"
            raise TimeoutError

    with pytest.raises(TimeoutError):
        asyncio.run(work())
    assert reader._held == 0


@pytest.mark.parametrize("path", ["/v1/predict", "/label-studio/setup", "/label-studio/predict"])
def test_a_refused_body_is_read_so_that_its_client_reads_the_answer(serve: Serve, path: str) -> None:
    chunks, sent = [b" " * 1000] * 30, list[Any]()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    asyncio.run(serve(max_mb=0.01).app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert not chunks

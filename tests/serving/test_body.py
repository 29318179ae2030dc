"""The body of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

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

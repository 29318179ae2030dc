"""The queue has a bound, gives up in time, and recovers."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.serving.conftest import Detector, Serve, error_of, photo, served, upload

from boxmask.serving.errors import ClientGoneError, RequestError
from boxmask.serving.prediction_queue import PredictionQueue


async def never() -> None:
    await asyncio.sleep(60)


async def at_once() -> None:
    await asyncio.sleep(0.05)


async def settled(queue: PredictionQueue) -> None:
    async with asyncio.timeout(10):
        while queue.size:
            await asyncio.sleep(0.01)


def run(scenario: Callable[[PredictionQueue], Any], limit: int = 4, workers: int = 1) -> None:
    async def play() -> None:
        queue = PredictionQueue(limit, workers)
        await scenario(queue)
        await settled(queue)
        assert await queue.run([lambda: "fine"], 10, never) == ["fine"]
        await settled(queue)
        queue.close()

    asyncio.run(play())


def test_results_come_in_order() -> None:
    async def scenario(queue: PredictionQueue) -> None:
        tasks = [lambda seconds=seconds: time.sleep(seconds) or seconds for seconds in (0.05, 0.0, 0.02)]
        assert await queue.run(tasks, 10, never) == [0.05, 0.0, 0.02]

    run(scenario, workers=3)


def test_a_full_queue_refuses_and_says_when_to_come_back() -> None:
    async def scenario(queue: PredictionQueue) -> None:
        gate = threading.Event()
        waiting = asyncio.ensure_future(queue.run([gate.wait] * 3, 10, never))
        await asyncio.sleep(0.05)
        assert queue.size == 3
        with pytest.raises(RequestError) as refused:
            await queue.run([gate.wait] * 2, 10, never)
        assert (refused.value.status, refused.value.code) == (429, "queue-full")
        assert 1 <= (refused.value.retry_after or 0) <= 60
        assert queue.size == 3
        gate.set()
        assert await waiting == [True] * 3

    run(scenario)


def test_an_error_drops_the_photos_that_wait() -> None:
    async def scenario(queue: PredictionQueue) -> None:
        done = []

        def fail() -> None:
            raise RequestError(422, "photo-unreadable", "damaged")

        with pytest.raises(RequestError, match="damaged"):
            await queue.run([fail, lambda: time.sleep(0.2), lambda: done.append(1)], 10, never)
        await settled(queue)
        assert not done

    run(scenario)


@pytest.mark.parametrize(("gone", "expected"), [(never, RequestError), (at_once, ClientGoneError)])
def test_what_nobody_waits_for_is_dropped(gone: Any, expected: type[Exception]) -> None:
    async def scenario(queue: PredictionQueue) -> None:
        gate, done = threading.Event(), []
        with pytest.raises(expected):
            await queue.run([gate.wait, lambda: done.append(1)], 0.2, gone)
        gate.set()
        await settled(queue)
        assert not done

    run(scenario)


def test_a_timeout_is_an_answer(serve: Serve) -> None:
    gate = threading.Event()
    client = serve(served(predictor=Detector(gate=gate)), timeout=0.2)
    reply = client.post("/v1/predict", files=upload(photo()))
    assert (reply.status_code, error_of(reply)) == (503, "timeout")
    assert int(reply.headers["Retry-After"]) >= 1
    gate.set()
    assert client.post("/v1/predict", files=upload(photo())).status_code in (200, 503)


def test_requests_beyond_the_queue_are_refused_before_their_body_is_read(serve: Serve) -> None:
    gate = threading.Event()
    client = serve(served(predictor=Detector(gate=gate)), queue=2, max_photos=2, workers=1)
    replies: list[int] = []

    def ask() -> None:
        replies.append(client.post("/v1/predict", files=upload(photo())).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(replies) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert replies == [429] * 6
    reply = client.post("/v1/predict", content=b"no body", headers={"Content-Type": "text/plain"})
    assert (reply.status_code, error_of(reply)) == (429, "queue-full")
    assert "boxmask_queue_photos 2.0" in client.get("/metrics").text
    gate.set()
    for thread in threads:
        thread.join(10)
    assert sorted(replies) == [200, 200] + [429] * 6
    assert client.post("/v1/predict", files=upload(photo())).status_code == 200


def test_work_that_nobody_waits_for_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(queue: PredictionQueue) -> None:
        gate = threading.Event()
        with pytest.raises(ClientGoneError):
            await queue.run([gate.wait], 10, at_once)
        gate.set()
        await asyncio.sleep(0.05)
        gc.collect()

    run(scenario)
    assert caplog.text == ""

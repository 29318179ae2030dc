"""Figures about the server in the format of Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boxmask.serving.prediction_queue import PredictionQueue

MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one server. They are not global, so that a program may hold several servers."""

    def __init__(self, queue: PredictionQueue) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "boxmask_requests", "Requests that were answered.", ["path", "status"], registry=self._registry
        )
        self._request_seconds = Histogram(
            "boxmask_request_seconds",
            "Seconds from the headers of a request to the end of its answer.",
            ["path"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.photos = Counter(
            "boxmask_photos", "Photos that were predicted.", ["model"], registry=self._registry
        )
        self.photo_seconds = Histogram(
            "boxmask_photo_seconds",
            "Seconds to decode a photo and to predict it, without the time in the queue.",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        waiting = Gauge("boxmask_queue_photos", "Photos that wait or are in work.", registry=self._registry)
        waiting.set_function(lambda: queue.size)
        limit = Gauge(
            "boxmask_queue_limit", "Photos from which on requests are refused.", registry=self._registry
        )
        limit.set(queue.limit)
        ProcessCollector(registry=self._registry)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request. path: of the route, so that there are few of them"""
        self._requests.labels(path, str(status)).inc()
        self._request_seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """All figures."""
        return generate_latest(self._registry)


class CountRequests:
    """Counts the requests and their seconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, start = 500, time.monotonic()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.answered(path, status, time.monotonic() - start)

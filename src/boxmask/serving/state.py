"""What the routes of one server share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from boxmask.serving.body import BodyReader
from boxmask.serving.errors import RequestError
from boxmask.serving.metrics import Metrics
from boxmask.serving.models import ServedModel
from boxmask.serving.options import ServeOptions
from boxmask.serving.photos import decode_photo
from boxmask.serving.predict_request import Selection, UploadedPhoto
from boxmask.serving.prediction_queue import PredictionQueue


class Worker(Protocol):
    """What works beside the requests, from the start of the server to its end."""

    def open(self) -> None:
        """Begin to work."""

    def close(self) -> None:
        """End the work, and wait for that."""


class ServerState:
    """The models, the options and the queue of one server.

    models:   the first is the default; a finished training adds its own
    datasets: the folders and files that the page may show, mend and train on
    out:      the folder that trainings, comparisons and forecasts are written into
    workers:  opened when the server starts, and closed when it stops
    is_ready: False once the server stops
    """

    def __init__(self, models: Sequence[ServedModel], options: ServeOptions) -> None:
        self.models, self.options = list(models), options
        self.datasets: tuple[Path, ...] = options.data
        self.out: Path = options.out
        self.queue = PredictionQueue(options.queue, options.workers)
        self.bodies = BodyReader(options.max_bytes, options.timeout)
        self.metrics = Metrics(self.queue)
        self.workers: list[Worker] = []
        self.is_ready = True

    def model(self, name: str | None) -> ServedModel:
        """The model with this name, or the first. Raises RequestError if there is none."""
        if not self.models:
            raise RequestError(
                404, "no-models", "this server has no models yet. Start it with a RUN, or train one."
            )
        if name is None:
            return self.models[0]
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.models)
        raise RequestError(
            404, "unknown-model", f"model: there is no model {name[:100]!r}; the models are: {known}"
        )

    def predict(
        self, model: ServedModel, photo: UploadedPhoto, number: int, selection: Selection
    ) -> tuple[Any, tuple[int, int]]:
        """The result of a photo, and its (height, width); the metrics count it. For the threads of the queue.

        number: of the photo in its request, from 1, for messages
        """
        start = time.monotonic()
        pixels = decode_photo(photo, number, self.options.max_pixels)
        result = model.predict(pixels, selection)
        self.metrics.photos.labels(model.name).inc()
        self.metrics.photo_seconds.labels(model.name).observe(time.monotonic() - start)
        return result, (pixels.shape[0], pixels.shape[1])

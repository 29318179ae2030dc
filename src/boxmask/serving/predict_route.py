"""POST /v1/predict: photos in, what a model finds in them out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from boxmask.serving.body import drain
from boxmask.serving.errors import RequestError
from boxmask.serving.models import ServedModel
from boxmask.serving.photos import decode_photo
from boxmask.serving.predict_request import Selection, UploadedPhoto, parse_request
from boxmask.serving.prediction_queue import ClientGoneError
from boxmask.serving.results import result_document
from boxmask.serving.state import ServerState

CLIENT_GONE = 499  # as in the logs of nginx; nobody reads this answer


async def predict(request: Request, state: ServerState) -> Response:
    """Answer a request. Raises RequestError if it is refused."""
    try:
        return await _predict(request, state)
    except RequestError:
        await drain(request)
        raise


async def _predict(request: Request, state: ServerState) -> Response:
    state.queue.check_room()  # before the body is read
    state.bodies.check_announced(request)
    async with state.bodies.read(request) as body:
        parsed = parse_request(body, request.headers.get("content-type", ""), state.options.max_photos)
        model = state.model(parsed.selection.model)
        model.check(parsed.selection)
        tasks = [
            _task(state, model, photo, number, parsed.selection)
            for number, photo in enumerate(parsed.photos, start=1)
        ]
        try:
            results = await state.queue.run(tasks, state.options.timeout, lambda: client_gone(request))
        except ClientGoneError:
            return Response(status_code=CLIENT_GONE)
    return JSONResponse({"model": model.name, "task": model.task, "results": results})


def _task(
    state: ServerState, model: ServedModel, photo: UploadedPhoto, number: int, selection: Selection
) -> Callable[[], dict[str, Any]]:
    """The work for one photo, which runs in a thread."""

    def work() -> dict[str, Any]:
        start = time.monotonic()
        pixels = decode_photo(photo, number, state.options.max_pixels)
        result = model.predict(pixels, selection)
        document = result_document(result, photo.name, (pixels.shape[0], pixels.shape[1]))
        state.metrics.photos.labels(model.name).inc()
        state.metrics.photo_seconds.labels(model.name).observe(time.monotonic() - start)
        return document

    return work


async def client_gone(request: Request) -> None:
    """Return once the client has closed the connection. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

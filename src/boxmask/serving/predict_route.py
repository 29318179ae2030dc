"""POST /v1/predict: photos in, what a model finds in them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from boxmask.serving.body import drain_refused
from boxmask.serving.models import ServedModel
from boxmask.serving.predict_request import JsonRequest, Selection, UploadedPhoto, parse_request
from boxmask.serving.results import result_document
from boxmask.serving.state import ServerState


async def predict(request: Request, state: ServerState) -> Response:
    """Answer a request. Raises RequestError if it is refused, and ClientGoneError."""
    async with drain_refused(request):
        state.queue.check_room()  # before the body is read
        async with state.bodies.read(request) as body:
            content_type = request.headers.get("content-type", "")
            parsed = parse_request(body, content_type, state.options.max_photos, Selection, JsonRequest)
            model = state.model(parsed.fields.model)
            model.check(parsed.fields)
            tasks = [
                _task(state, model, photo, number, parsed.fields)
                for number, photo in enumerate(parsed.photos, start=1)
            ]
            results = await state.queue.run(tasks, state.options.timeout, lambda: client_gone(request))
    return JSONResponse({"model": model.name, "task": model.task, "results": results})


def _task(
    state: ServerState, model: ServedModel, photo: UploadedPhoto, number: int, selection: Selection
) -> Callable[[], dict[str, Any]]:
    """The work for one photo, which runs in a thread."""

    def work() -> dict[str, Any]:
        result, size = state.predict(model, photo, number, selection)
        return result_document(result, photo.name, size)

    return work


async def client_gone(request: Request) -> None:
    """Return once the client has closed the connection. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass

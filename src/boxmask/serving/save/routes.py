"""POST /v1/save: results in JSON in, files out."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from boxmask.errors import BoxmaskError
from boxmask.results.formats import PICTURE_FORMATS
from boxmask.serving.body import drain_refused
from boxmask.serving.errors import RequestError
from boxmask.serving.json_body import check_is_json, json_body, parse_json
from boxmask.serving.models import ServedModel
from boxmask.serving.openapi import error_responses
from boxmask.serving.photos import decode_photo
from boxmask.serving.predict_request import check_count, decoded_photo, plain_name
from boxmask.serving.predict_route import client_gone
from boxmask.serving.save.files import MEDIA_TYPES, NO_PIXELS, ResultToSave, SavedFile, save_results
from boxmask.serving.save.request import EXAMPLE, SaveBody, SavedResult
from boxmask.serving.save.results import result_of
from boxmask.serving.state import ServerState


def save_routes(state: ServerState) -> APIRouter:
    """The route that writes results into files. It needs the toolkit."""
    router = APIRouter()
    types = sorted({media_type.partition(";")[0] for media_type in MEDIA_TYPES.values()})

    @router.post(
        "/v1/save",
        summary="Results as files",
        response_class=Response,
        responses=error_responses(400, 404, 408, 413, 415, 422, 429, 503)
        | {
            200: {
                "description": "The file; an archive if there are several.",
                "content": {media_type: {} for media_type in types},
            }
        },
        openapi_extra={"requestBody": json_body(SaveBody, EXAMPLE)},
    )
    async def save(request: Request) -> Response:
        """The files are those of `boxmask predict --save`. Nothing is kept on the server."""
        async with drain_refused(request):
            check_is_json(request)
            state.queue.check_room()
            async with state.bodies.read(request) as content:
                body = parse_json(content, SaveBody)
                check_count(len(body.results), state.options.max_photos)
                work = _work(state, state.model(body.model), body)
                [file] = await state.queue.run([work], state.options.timeout, lambda: client_gone(request))
        return _download(file)

    return router


def _work(state: ServerState, model: ServedModel, body: SaveBody) -> Callable[[], SavedFile]:
    """The work, which runs in a thread."""

    def work() -> SavedFile:
        draws = body.format in PICTURE_FORMATS
        results = [
            _prepared(saved, number, model, state.options.max_pixels, draws=draws)
            for number, saved in enumerate(body.results, start=1)
        ]
        try:
            return save_results(results, body.format, model.class_names)
        except BoxmaskError as error:
            raise RequestError(422, "cannot-save", str(error)[:500]) from error

    return work


def _prepared(
    saved: SavedResult, number: int, model: ServedModel, max_pixels: int, *, draws: bool
) -> ResultToSave:
    """A result, and the pixels of its photo if something is drawn on them. Raises RequestError."""
    result = result_of(saved, model, max_pixels)
    name = plain_name(saved.name)
    if not draws:
        return ResultToSave(name, result, NO_PIXELS)
    if saved.photo is None:
        raise RequestError(422, "no-photos", f"photo {number}: pictures need the field photo.")
    pixels = decode_photo(decoded_photo(saved.photo, number), number, max_pixels)
    if pixels.shape[:2] != (saved.height, saved.width):
        expected, found = f"{saved.width} × {saved.height}", f"{pixels.shape[1]} × {pixels.shape[0]}"
        message = f"photo {number}: expected {expected} pixels, as in the result, found {found}."
        raise RequestError(422, "invalid", message)
    return ResultToSave(name, result, pixels)


def _download(file: SavedFile) -> Response:
    """A file that browsers save under its name."""
    name = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    return Response(file.content, headers={"Content-Disposition": name}, media_type=file.media_type)

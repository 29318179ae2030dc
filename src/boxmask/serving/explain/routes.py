"""POST /v1/explain: one photo in, the stages of its way through a model out."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from boxmask.serving.body import drain_refused
from boxmask.serving.explain.document import reply_to
from boxmask.serving.explain.reply import ExplainReply
from boxmask.serving.explain.request import ExplainFields, ExplainRequest, check_explainable, check_single
from boxmask.serving.models import ServedModel
from boxmask.serving.openapi import error_responses, photo_body
from boxmask.serving.photos import decode_photo
from boxmask.serving.predict_request import UploadedPhoto, parse_request
from boxmask.serving.predict_route import client_gone
from boxmask.serving.state import ServerState


def explain_routes(state: ServerState) -> APIRouter:
    """The route that explains photos. It needs PyTorch."""
    router = APIRouter()

    @router.post(
        "/v1/explain",
        summary="Look inside a model",
        response_model=ExplainReply,
        response_model_exclude_none=True,
        responses=error_responses(400, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": photo_body(ExplainFields, ExplainRequest)},
    )
    async def explain_photo(request: Request) -> Response:
        """Send one photo, as a form or as JSON. The stages come in the order of the method.

        Each stage has layers that lie over the photo, and the numbers behind them. Exported files have no
        stages.
        """
        return await explain(request, state)

    return router


async def explain(request: Request, state: ServerState) -> Response:
    """Answer a request. Raises RequestError if it is refused, and ClientGoneError."""
    async with drain_refused(request):
        state.queue.check_room()  # before the body is read
        async with state.bodies.read(request) as body:
            content_type = request.headers.get("content-type", "")
            limit = state.options.max_photos
            parsed = parse_request(body, content_type, limit, ExplainFields, ExplainRequest)
            check_single(parsed.photos)
            model = state.model(parsed.fields.model)
            check_explainable(model, parsed.fields)
            work = _task(state, model, parsed.photos[0], parsed.fields)
            [document] = await state.queue.run([work], state.options.timeout, lambda: client_gone(request))
    return Response(document, media_type="application/json")


def _task(
    state: ServerState, model: ServedModel, photo: UploadedPhoto, fields: ExplainFields
) -> Callable[[], str]:
    """The work, which runs in a thread of the queue, up to the text of the reply."""

    def work() -> str:
        pixels = decode_photo(photo, 1, state.options.max_pixels)
        size = (pixels.shape[0], pixels.shape[1])
        explanation = model.explain(pixels, fields.min_score)
        reply = reply_to(explanation, model, photo.name, size, fields.pictures)
        return reply.model_dump_json(by_alias=True, exclude_none=True)

    return work

"""Bodies in JSON alone: read them, check them against a model of Pydantic, and describe them in OpenAPI."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from boxmask.serving.body import BodyReader, drain_refused
from boxmask.serving.errors import RequestError
from boxmask.serving.openapi import REFERENCE
from boxmask.serving.predict_request import invalid

BodyT = TypeVar("BodyT", bound=BaseModel)


async def read_json(request: Request, bodies: BodyReader, model: type[BodyT]) -> BodyT:
    """The body of a request. Raises RequestError for one that is too large, too slow, broken or no JSON."""
    async with drain_refused(request):
        check_is_json(request)
        async with bodies.read(request) as body:
            return parse_json(body, model, strict=True)


def check_is_json(request: Request) -> None:
    """Raise RequestError for another Content-Type. Forms of other web pages cannot send this one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        message = f"Content-Type: expected application/json, found {kind[:60] or 'none'}."
        raise RequestError(415, "wrong-content-type", message)


def parse_json(body: bytes, model: type[BodyT], *, strict: bool = False) -> BodyT:
    """The content of a body. Raises RequestError for broken JSON and wrong fields.

    strict: whether "0.5" is no number
    """
    try:
        return model.model_validate_json(body, strict=strict)
    except ValidationError as error:
        raise invalid(error) from error


def json_body(model: type[BaseModel], example: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of a route in OpenAPI. Pass the model to `describe`, too."""
    content: dict[str, Any] = {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}
    if example is not None:
        content["examples"] = {"example": {"value": example}}
    return {"required": True, "content": {"application/json": content}}

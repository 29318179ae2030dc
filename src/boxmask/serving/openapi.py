"""The description of the API in OpenAPI, with what FastAPI cannot infer: a body in two forms, and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

REFERENCE = "#/components/schemas/{model}"

EXAMPLE_PHOTO = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAKklEQVR4nO3NMQEAAAjDMMC/sMnCBHypgKaT1GfzegcAAAAAAAAA"
    "AACHLfgjAphuiURMAAAAAElFTkSuQmCC"
)
"""A gray PNG of 32 × 32 pixels."""

STATUSES = {
    400: "The body is broken.",
    401: "The token is missing or wrong.",
    403: "A web page of another server asked.",
    404: "There is no such model or path.",
    408: "The body was not complete in time.",
    409: "It does not fit the present state.",
    413: "Too many bytes, pixels or photos.",
    415: "The Content-Type is not supported.",
    421: "The header Host is no name of this server.",
    422: "A field is invalid, or a photo cannot be read.",
    429: "The queue is full. Retry-After says when to try again.",
    503: "The photos were not predicted in time.",
    507: "A file cannot be written.",
}


class ErrorBody(BaseModel):
    """What is wrong."""

    code: str
    message: str


class ErrorReply(BaseModel):
    """The answer to every request that is refused."""

    error: ErrorBody


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of these statuses, and of those that any request may get."""
    always = (401, 403, 421)
    return {
        status: {"model": ErrorReply, "description": STATUSES[status]}
        for status in sorted({*statuses, *always})
    }


def photo_body(fields: type[BaseModel], document: type[BaseModel], **example: Any) -> dict[str, Any]:
    """A body with photos: a form, or JSON.

    fields:   that both have in common
    document: the body in JSON
    example:  fields of the example
    """
    form = fields.model_json_schema(ref_template=REFERENCE)
    photos = {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "format": "binary"},
        "description": "Photo files.",
    }
    form_schema = {
        "type": "object",
        "properties": {"photos": photos, **form["properties"]},
        "required": ["photos"],
    }
    value = {"photos": [{"name": "photo.png", "base64": EXAMPLE_PHOTO}], **example}
    return {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": form_schema},
            "application/json": {
                "schema": {"$ref": REFERENCE.format(model=document.__name__)},
                "examples": {"one photo": {"value": value}},
            },
        },
    }


def describe(app: FastAPI, bodies: Sequence[type[BaseModel]], *, has_token: bool) -> None:
    """Give an app its description, which is written when it is first asked for.

    bodies: the models of bodies in JSON, which `photo_body` and others refer to
    """

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            parts = schema.setdefault("components", {})
            for body in bodies:
                body_schema = body.model_json_schema(ref_template=REFERENCE)
                parts["schemas"].update(body_schema.pop("$defs", {}))
                parts["schemas"][body.__name__] = body_schema
            if has_token:
                parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                schema["security"] = [{"token": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]

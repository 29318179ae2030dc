"""POST /v1/session: a token in, a cookie out, so that the page's pictures and links carry it as well."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from boxmask.serving.access import AccessRules, wrong_token
from boxmask.serving.json_body import json_body, read_json
from boxmask.serving.openapi import error_responses
from boxmask.serving.options import MAX_TOKEN
from boxmask.serving.state import ServerState

EXAMPLE = {"token": "the-token-of-this-server"}


class SessionBody(BaseModel):
    """The token of the server, as `boxmask serve` printed it."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=MAX_TOKEN)


def session_routes(state: ServerState, rules: AccessRules) -> APIRouter:
    """The route that signs in."""
    router = APIRouter()

    @router.post(
        "/v1/session",
        summary="Sign in: exchange the token for a cookie",
        status_code=204,
        responses=error_responses(400, 408, 413, 415, 422, 429),
        openapi_extra={"requestBody": json_body(SessionBody, EXAMPLE), "security": []},
    )
    async def sign_in(request: Request) -> Response:
        """The cookie is sent back by the browser that asked, and only to this server."""
        token = (await read_json(request, state.bodies, SessionBody)).token
        if not rules.is_token(token):
            raise wrong_token()
        reply = Response(status_code=204)
        if rules.session is not None:
            name, value = rules.session
            is_secure = request.url.scheme == "https"
            reply.set_cookie(name, value, httponly=True, samesite="strict", secure=is_secure)
        return reply

    return router

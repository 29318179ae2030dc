"""Errors of requests: a status of HTTP, a word for programs, and a sentence for people."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from boxmask.serving.security_headers import SECURITY_HEADERS

CLIENT_GONE = 499  # as in the logs of nginx; nobody reads this answer

_CODES = {404: "not-found", 405: "method-not-allowed"}


class RequestError(Exception):
    """A request that is refused.

    status:      of HTTP
    code:        what is wrong, as a word that programs compare: "queue-full"
    message:     what is wrong and what to do
    retry_after: seconds after which it may work
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


class ClientGoneError(Exception):
    """The client has closed the connection, so nobody waits for the result."""


def reply_of(error: RequestError) -> JSONResponse:
    """The answer to a request that is refused."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document_of(error), error.status, headers)


def document_of(error: RequestError) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": {"code": error.code, "message": error.message}}


def add_error_handlers(app: FastAPI) -> None:
    """Answer all errors in the same form."""

    @app.exception_handler(RequestError)
    async def refused(_: Request, error: RequestError) -> JSONResponse:
        return reply_of(error)

    @app.exception_handler(ClientGoneError)
    async def gone(_: Request, __: ClientGoneError) -> Response:
        return Response(status_code=CLIENT_GONE)

    @app.exception_handler(HTTPException)
    async def not_served(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "refused")
        message = f"{request.method} {request.url.path[:200]} is not served here. See GET /openapi.json."
        reply = reply_of(RequestError(error.status_code, code, message))
        reply.headers.update(error.headers or {})
        return reply

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return reply_of(RequestError(422, "invalid", "; ".join(map(str, error.errors()))[:500]))

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        message = "the server failed. Its own output says why."  # uvicorn logs the error
        reply = reply_of(RequestError(500, "failed", message))
        reply.headers.update(SECURITY_HEADERS)  # this handler is outside of all middleware
        return reply

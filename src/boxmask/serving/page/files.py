"""GET / and GET /page/NAME: the files of the page, for browsers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from boxmask.serving.errors import RequestError
from boxmask.serving.page.bundle import ASSETS, INDEX, BundleFile, read_bundle

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""What the page may load: its own files, answers of this server, and pictures that its scripts make."""

FOREVER = "public, max-age=31536000, immutable"  # the names of these files change with their content
ASK_FIRST = "no-cache"
NOT_BUILT = "The page is not built. In a checkout, run: make page. Then start the server again.\n"


def file_routes() -> APIRouter:
    """The routes of the page's files. They tell nothing about models or data, so they need no token."""
    router = APIRouter(include_in_schema=False)
    files = read_bundle()

    @router.get("/")
    async def index(request: Request) -> Response:
        if INDEX not in files:
            return PlainTextResponse(NOT_BUILT, 503)
        return _answer(
            files[INDEX], request, {"Cache-Control": ASK_FIRST, "Content-Security-Policy": CONTENT_POLICY}
        )

    @router.get(f"/{ASSETS}/{{name}}")
    async def asset(name: str, request: Request) -> Response:
        path = f"{ASSETS}/{name}"
        if path not in files:
            raise RequestError(404, "not-found", f"the page has no file {name[:100]!r}. Load the page again.")
        return _answer(files[path], request, {"Cache-Control": FOREVER})

    return router


def _answer(file: BundleFile, request: Request, headers: dict[str, str]) -> Response:
    """The file, compressed if the browser takes that; nothing if the browser has it already."""
    headers = headers | {"ETag": file.etag, "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, headers=headers, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)

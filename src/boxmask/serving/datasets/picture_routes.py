"""Photos and thumbnails for browsers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from boxmask.serving.datasets.data_sets import DataSets
from boxmask.serving.datasets.pictures import PictureFile, etag_of, picture
from boxmask.serving.openapi import error_responses

_HEADERS = {"Cache-Control": "private, max-age=60, must-revalidate"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **error_responses(404, 409, 422, 429),
    200: {"content": {"image/webp": {}, "image/jpeg": {}, "image/png": {}}},
    304: {"description": "The client has it already."},
}


def add_picture_routes(router: APIRouter, data_sets: DataSets) -> None:
    """Add the routes."""

    @router.get(
        "/v1/datasets/{name}/photos/{photo}/thumbnail",
        summary="A small picture of a photo",
        response_class=Response,
        responses=_RESPONSES,
    )
    async def thumbnail(name: str, photo: int, request: Request) -> Response:
        def make(path: Path, etag: str) -> PictureFile:
            return PictureFile("image/webp", data_sets.thumbnails.get(path, etag))

        return await _answer(data_sets, name, photo, request, make)

    @router.get(
        "/v1/datasets/{name}/photos/{photo}/image",
        summary="A photo",
        response_class=Response,
        responses=_RESPONSES,
    )
    async def image(name: str, photo: int, request: Request) -> Response:
        return await _answer(data_sets, name, photo, request, lambda path, _: picture(path))


async def _answer(
    data_sets: DataSets,
    name: str,
    photo: int,
    request: Request,
    make: Callable[[Path, str], PictureFile],
) -> Response:
    """A picture, unless the client has it already."""
    _, snapshot = data_sets.photo(name, photo)
    path = snapshot.root / snapshot.index.files[photo]
    etag = await asyncio.to_thread(etag_of, path, request.url.path.rpartition("/")[2])
    headers = _HEADERS | {"ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    found = await data_sets.make(lambda: make(path, etag))
    return Response(found.content, media_type=found.media_type, headers=headers)

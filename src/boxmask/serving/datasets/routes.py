"""The routes below /v1/datasets."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from boxmask.serving.datasets.data_sets import DataSets
from boxmask.serving.datasets.describe import dataset_reply, listed, listed_photo, photo_reply
from boxmask.serving.datasets.photo_index import ObjectSize, PhotoFilter, PhotoSize
from boxmask.serving.datasets.pictures import PictureFile, etag_of, picture
from boxmask.serving.datasets.replies import (
    DataSetList,
    DataSetReply,
    ObjectsBody,
    PhotoPage,
    PhotoReply,
    RestoreBody,
)
from boxmask.serving.datasets.requested_objects import requested_objects
from boxmask.serving.datasets.saving import restore, save
from boxmask.serving.datasets.snapshot import Snapshot
from boxmask.serving.errors import RequestError
from boxmask.serving.json_body import json_body, read_json
from boxmask.serving.openapi import error_responses
from boxmask.serving.state import ServerState

MAX_PER_PAGE = 500

_PICTURE_HEADERS = {"Cache-Control": "private, max-age=60, must-revalidate"}
_EXAMPLE = {
    "version": "1-0",
    "objects": [
        {"id": 0, "class_name": "cat"},
        {"class_name": "cat", "shape": {"kind": "box", "box": [10, 20, 110, 90]}},
    ],
}


def dataset_routes(state: ServerState) -> APIRouter:
    """The routes for data sets. Without any, they only tell that there is none."""
    router = APIRouter(tags=["Data"])
    data_sets = DataSets(state)
    _add_dataset_routes(router, data_sets)
    _add_photo_routes(router, data_sets)
    _add_picture_routes(router, data_sets)
    _add_writing_routes(router, data_sets, state)
    return router


def _add_dataset_routes(router: APIRouter, data_sets: DataSets) -> None:
    @router.get("/v1/datasets", summary="List the data sets", responses=error_responses())
    async def list_datasets() -> DataSetList:
        return DataSetList(datasets=[listed(data) for data in data_sets.by_id.values()])

    @router.get("/v1/datasets/{name}", summary="Describe a data set", responses=error_responses(404))
    async def describe_dataset(name: str) -> DataSetReply:
        """The first request makes the server read the data set. Ask again to see how far it is."""
        return await asyncio.to_thread(dataset_reply, data_sets.get(name))

    @router.post("/v1/datasets/{name}/read", summary="Read a data set again", responses=error_responses(404))
    async def read_dataset(name: str) -> DataSetReply:
        """For changes by other programs."""
        data = data_sets.get(name)
        data.read_again()
        return await asyncio.to_thread(dataset_reply, data)


def _add_photo_routes(router: APIRouter, data_sets: DataSets) -> None:
    @router.get("/v1/datasets/{name}/photos", summary="List photos", responses=error_responses(404, 409, 422))
    async def list_photos(
        name: str,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PER_PAGE)] = 100,
        class_name: Annotated[str, Query(max_length=1000)] = "",
        object_size: ObjectSize | None = None,
        photo_size: PhotoSize | None = None,
        finding: Annotated[str, Query(max_length=100)] = "",
        empty: bool = False,
        text: Annotated[str, Query(max_length=1000)] = "",
    ) -> PhotoPage:
        """Photos in the order of their names.

        class_name and object_size ask for an object of both; sizes of objects are those of COCO. finding is
        the id of a kind. empty asks for photos without objects, and text for a part of the name.
        """
        data = data_sets.get(name)
        snapshot = data.snapshot
        photos = _photos_of(snapshot, finding)
        wanted = PhotoFilter(class_name, object_size, photo_size, empty, photos, text)

        def page() -> PhotoPage:
            found = snapshot.index.select(wanted)
            shown = found[offset : offset + limit].tolist()
            return PhotoPage(
                total=len(found),
                offset=offset,
                photos=[listed_photo(data, snapshot, photo) for photo in shown],
            )

        return await asyncio.to_thread(page)

    @router.get(
        "/v1/datasets/{name}/photos/{photo}",
        summary="Describe a photo and its labels",
        responses=error_responses(404, 409, 422),
    )
    async def describe_photo(name: str, photo: int) -> PhotoReply:
        data, snapshot = data_sets.photo(name, photo)
        return await asyncio.to_thread(photo_reply, data, snapshot, photo)


def _photos_of(snapshot: Snapshot, finding: str) -> frozenset[int] | None:
    """The photos of a kind of finding; None for no kind."""
    if not finding:
        return None
    photos = snapshot.findings.photos_of(finding)
    if photos is None:
        raise RequestError(
            404, "unknown-finding", f"there is no finding {finding[:100]!r}. Load the data set again."
        )
    return photos


def _add_picture_routes(router: APIRouter, data_sets: DataSets) -> None:
    pictures: dict[int | str, dict[str, object]] = {
        200: {"content": {"image/webp": {}, "image/jpeg": {}, "image/png": {}}},
        304: {"description": "The client has it already."},
    }
    responses = {**error_responses(404, 409, 422, 429), **pictures}

    @router.get(
        "/v1/datasets/{name}/photos/{photo}/thumbnail",
        summary="A small picture of a photo",
        response_class=Response,
        responses=responses,
    )
    async def thumbnail(name: str, photo: int, request: Request) -> Response:
        _, snapshot = data_sets.photo(name, photo)
        path = snapshot.root / snapshot.index.files[photo]
        etag = await asyncio.to_thread(etag_of, path, "thumbnail")
        headers = _PICTURE_HEADERS | {"ETag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = await data_sets.make(lambda: data_sets.thumbnails.get(path, etag))
        return Response(content, media_type="image/webp", headers=headers)

    @router.get(
        "/v1/datasets/{name}/photos/{photo}/image",
        summary="A photo",
        response_class=Response,
        responses=responses,
    )
    async def image(name: str, photo: int, request: Request) -> Response:
        _, snapshot = data_sets.photo(name, photo)
        path = snapshot.root / snapshot.index.files[photo]
        etag = await asyncio.to_thread(etag_of, path, "image")
        headers = _PICTURE_HEADERS | {"ETag": etag}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return _picture_response(await data_sets.make(lambda: picture(path)), headers)


def _picture_response(found: PictureFile, headers: dict[str, str]) -> Response:
    if found.path is not None:
        return FileResponse(found.path, media_type=found.media_type, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


def _add_writing_routes(router: APIRouter, data_sets: DataSets, state: ServerState) -> None:
    statuses = (400, 404, 408, 409, 413, 415, 422, 429, 507)

    @router.put(
        "/v1/datasets/{name}/photos/{photo}/objects",
        summary="Correct the labels of a photo",
        response_model=PhotoReply,
        responses=error_responses(*statuses),
        openapi_extra={"requestBody": json_body(ObjectsBody, _EXAMPLE)},
    )
    async def put_objects(name: str, photo: int, request: Request) -> PhotoReply:
        """The label file is replaced by a new version. The old one is kept beside it, as `kept` tells."""
        data, snapshot = data_sets.photo(name, photo)
        body = await read_json(request, state.bodies, ObjectsBody)
        objects = requested_objects(body, snapshot.index.sizes[photo].tolist())

        def work() -> PhotoReply:
            kept = save(data, photo, body.version, objects)
            return photo_reply(data, data.snapshot, photo, kept.path.name if kept else "")

        return await asyncio.to_thread(work)

    @router.post(
        "/v1/datasets/{name}/photos/{photo}/restore",
        summary="Bring an old version of a label file back",
        response_model=DataSetReply,
        responses=error_responses(*statuses),
        openapi_extra={"requestBody": json_body(RestoreBody, {"version": "1-1", "number": 1})},
    )
    async def restore_version(name: str, photo: int, request: Request) -> DataSetReply:
        """If other photos may have changed with it, the data set is read again."""
        data, _ = data_sets.photo(name, photo)
        body = await read_json(request, state.bodies, RestoreBody)

        def work() -> DataSetReply:
            restore(data, photo, body.version, body.number)
            return dataset_reply(data)

        return await asyncio.to_thread(work)

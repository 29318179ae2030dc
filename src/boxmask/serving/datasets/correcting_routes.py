"""The routes that write label files."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from boxmask.serving.datasets.data_sets import DataSets
from boxmask.serving.datasets.describe import dataset_reply, photo_reply
from boxmask.serving.datasets.replies import DataSetReply, ObjectsBody, PhotoReply, RestoreBody
from boxmask.serving.datasets.requested_objects import requested_objects
from boxmask.serving.datasets.saving import restore, save
from boxmask.serving.json_body import json_body, read_json
from boxmask.serving.openapi import error_responses
from boxmask.serving.state import ServerState

_STATUSES = (400, 404, 408, 409, 413, 415, 422, 429, 507)
_EXAMPLE = {
    "version": "1-0",
    "objects": [
        {"id": 0, "class_name": "cat"},
        {"class_name": "cat", "shape": {"kind": "box", "box": [10, 20, 110, 90]}},
    ],
}


def add_correcting_routes(router: APIRouter, data_sets: DataSets, state: ServerState) -> None:
    """Add the routes."""
    _add_objects_route(router, data_sets, state)

    @router.post(
        "/v1/datasets/{name}/photos/{photo}/restore",
        summary="Bring an old version of a label file back",
        response_model=DataSetReply,
        responses=error_responses(*_STATUSES),
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


def _add_objects_route(router: APIRouter, data_sets: DataSets, state: ServerState) -> None:
    @router.put(
        "/v1/datasets/{name}/photos/{photo}/objects",
        summary="Correct the labels of a photo",
        response_model=PhotoReply,
        responses=error_responses(*_STATUSES),
        openapi_extra={"requestBody": json_body(ObjectsBody, _EXAMPLE)},
    )
    async def put_objects(name: str, photo: int, request: Request) -> PhotoReply:
        """The label file is replaced by a new version. The old one is kept beside it, as `kept` tells."""
        data, snapshot = data_sets.photo(name, photo)
        body = await read_json(request, state.bodies, ObjectsBody)
        objects = requested_objects(body, snapshot.index.sizes[photo].tolist())

        def work() -> PhotoReply:
            with data.lock:
                kept = save(data, photo, body.version, objects)
                return photo_reply(data, data.snapshot, photo, kept.path.name if kept else "")

        return await asyncio.to_thread(work)

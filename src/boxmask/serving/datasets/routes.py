"""The routes below /v1/datasets."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from boxmask.serving.datasets.correcting_routes import add_correcting_routes
from boxmask.serving.datasets.data_sets import DataSets
from boxmask.serving.datasets.describe import dataset_reply, listed
from boxmask.serving.datasets.photo_routes import add_photo_routes
from boxmask.serving.datasets.picture_routes import add_picture_routes
from boxmask.serving.datasets.replies import DataSetList, DataSetReply, ObjectsBody, RestoreBody
from boxmask.serving.openapi import error_responses
from boxmask.serving.state import ServerState

DATASET_BODIES: list[type[BaseModel]] = [ObjectsBody, RestoreBody]
"""The bodies of these routes in JSON."""


def dataset_routes(state: ServerState) -> APIRouter:
    """The routes for the data sets of a server."""
    router = APIRouter(tags=["Data"])
    data_sets = DataSets(state)
    _add_dataset_routes(router, data_sets)
    add_photo_routes(router, data_sets)
    add_picture_routes(router, data_sets)
    add_correcting_routes(router, data_sets, state)
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

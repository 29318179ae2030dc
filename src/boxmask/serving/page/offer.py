"""GET /v1/page: what the page may show, so that it offers nothing that this server refuses."""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from boxmask.serving.dataset_names import dataset_ids
from boxmask.serving.models import has_toolkit
from boxmask.serving.openapi import error_responses
from boxmask.serving.state import ServerState

View = Literal["predict", "look-inside", "data", "train", "compare", "forecast"]
DATA_VIEWS: tuple[View, ...] = ("data", "train", "compare", "forecast")

TASKS = {"objects": "detection", "label maps": "segmentation", "class folders": "classification"}


class DatasetSummary(BaseModel):
    """A data set that the page may show and train on."""

    id: str = Field(description="Its name in the routes below /v1/datasets.")
    name: str = Field(description="The folder or file as it was given to boxmask serve.")
    task: str = Field(description='"detection", "segmentation" or "classification".')


class Limits(BaseModel):
    """What one request may hold."""

    max_photos: int
    max_bytes: int
    max_pixels: int = Field(description="Per photo.")


class Offer(BaseModel):
    """What the page may show."""

    version: str
    views: list[View]
    datasets: list[DatasetSummary]
    can_save: bool = Field(description="Whether POST /v1/save writes results into files.")
    limits: Limits


class Capabilities:
    """What a server can do. The data sets are looked at once, when a client first asks."""

    def __init__(self, state: ServerState, version: str) -> None:
        self._state, self._version = state, version

    def offer(self) -> Offer:
        """What the page may show now; the models may have become more. Reads the data sets at first."""
        options = self._state.options
        return Offer(
            version=self._version,
            views=self._views(),
            datasets=self._datasets,
            can_save=has_toolkit(),
            limits=Limits(
                max_photos=options.max_photos, max_bytes=options.max_bytes, max_pixels=options.max_pixels
            ),
        )

    def _views(self) -> list[View]:
        views: list[View] = []
        if self._state.models:
            views.append("predict")
        if any(model.form == "torch" for model in self._state.models):
            views.append("look-inside")
        return [*views, *(DATA_VIEWS if self._state.datasets else ())]

    @cached_property
    def _datasets(self) -> list[DatasetSummary]:
        found = dataset_ids(self._state.datasets)
        return [
            DatasetSummary(id=name, name=str(given), task=_task(path))
            for (name, path), given in zip(found.items(), self._state.datasets, strict=True)
        ]


def offer_routes(state: ServerState, version: str) -> APIRouter:
    """The route that tells the page what it may show."""
    router = APIRouter()
    capabilities = Capabilities(state, version)

    @router.get("/v1/page", summary="What the page may show", responses=error_responses())
    async def offer() -> Offer:
        return await asyncio.to_thread(capabilities.offer)

    return router


def _task(data: Path) -> str:
    from boxmask.doctor.check import kind_of_labels  # data sets need the toolkit

    return TASKS[kind_of_labels(data)]

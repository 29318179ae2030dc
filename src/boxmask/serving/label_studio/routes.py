"""The routes that Label Studio asks of an ML backend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from boxmask.serving.body import drain_refused
from boxmask.serving.errors import RequestError
from boxmask.serving.json_body import check_is_json, json_body, parse_json
from boxmask.serving.label_studio.label_config import Control, LabelConfig, parse_label_config
from boxmask.serving.label_studio.photos import TaskPhotos
from boxmask.serving.label_studio.regions import control_tags, prediction
from boxmask.serving.models import ServedModel
from boxmask.serving.openapi import error_responses
from boxmask.serving.predict_request import Selection
from boxmask.serving.predict_route import client_gone
from boxmask.serving.state import ServerState

logger = logging.getLogger("boxmask.serve")

MAX_TASKS = 1000

BodyT = TypeVar("BodyT", bound=BaseModel)


class Task(BaseModel):
    """A task of Label Studio."""

    model_config = ConfigDict(extra="allow")

    id: int | str | None = None
    data: dict[str, Any]


class PredictBody(BaseModel):
    """The tasks to pre-label, and the labeling interface of their project."""

    model_config = ConfigDict(extra="allow")

    tasks: list[Task] = Field(max_length=MAX_TASKS)
    label_config: str


class SetupBody(BaseModel):
    """A project that connects."""

    model_config = ConfigDict(extra="allow")

    label_config: str = Field(alias="schema")


class PreLabels(BaseModel):
    """One prediction per task, in their order."""

    results: list[dict[str, Any]]
    model_version: str


class Version(BaseModel):
    """The version that predictions are stored under."""

    model_version: str


def label_studio_routes(state: ServerState) -> APIRouter:
    """The routes below /label-studio. Raises UsageError if there is no folder with the photos."""
    router = APIRouter(tags=["Label Studio"])
    backend = _Backend(state)
    _add_status_routes(router, backend)

    @router.post(
        "/setup",
        summary="Connect a project",
        response_model=Version,
        responses=error_responses(400, 404, 408, 413, 415, 422, 429),
        openapi_extra={"requestBody": json_body(SetupBody)},
    )
    async def setup(request: Request) -> Response:
        with _printed_refusals():
            async with drain_refused(request):
                return await backend.setup(request)

    @router.post(
        "/predict",
        summary="Pre-label tasks",
        response_model=PreLabels,
        responses=error_responses(400, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": json_body(PredictBody)},
    )
    async def predict(request: Request) -> Response:
        with _printed_refusals():
            async with drain_refused(request):
                return await backend.predict(request)

    return router


def _add_status_routes(router: APIRouter, backend: _Backend) -> None:
    responses = error_responses(404)

    @router.get("/", summary="Whether the backend runs", responses=responses)
    @router.get("/health", summary="Whether the backend runs", responses=responses)
    async def health() -> dict[str, str]:
        return {"status": "UP", "model_class": backend.model.name}

    @router.get("/versions", summary="The versions of the model", responses=responses)
    async def versions() -> dict[str, list[str]]:
        return {"versions": [backend.model.name]}

    @router.post("/webhook", summary="Ignored: this server does not train", responses=responses)
    async def webhook() -> dict[str, str]:
        return {}


@contextmanager
def _printed_refusals() -> Iterator[None]:
    """Print why a request is refused: Label Studio shows the status only."""
    try:
        yield
    except RequestError as error:
        if error.status == 422:
            logger.warning("Label Studio: %s", error.message)
        raise


class _Backend:
    """Pre-labels tasks with the first model of a server."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._photos = TaskPhotos(state.options.label_studio_photos, state.options.max_bytes)
        self._noted: set[tuple[str, ...]] = set()

    @property
    def model(self) -> ServedModel:
        """The first model. Raises RequestError while there is none."""
        return self._state.model(None)

    def _control(self, config: LabelConfig) -> Control:
        """The control of an interface that takes the results of the model."""
        tags = control_tags(self.model.task, has_masks=self.model.has_masks)
        return config.control(tags, self.model.class_names)

    async def setup(self, request: Request) -> Response:
        """Check that the labeling interface of a project takes results of the model."""
        async with self._state.bodies.read(request) as body:
            config = parse_label_config(_parse(body, request, SetupBody).label_config)
        control = self._control(config)
        missing = tuple(name for name in self.model.class_names if control.label_of(name) is None)
        if missing and missing not in self._noted:  # Label Studio connects before each prediction
            self._noted.add(missing)
            logger.warning(
                "Label Studio: the labeling interface has no labels for these classes, whose objects are "
                "left out: %s",
                ", ".join(missing)[:500],
            )
        return JSONResponse({"model_version": self.model.name})

    async def predict(self, request: Request) -> Response:
        """Pre-label tasks, a few at a time."""
        self._state.queue.check_room()
        async with self._state.bodies.read(request) as body:
            given = _parse(body, request, PredictBody)
            config = parse_label_config(given.label_config)
            control = self._control(config)
            key = config.image_keys.get(control.to_name)
            work = [self._work(task, n, control, key) for n, task in enumerate(given.tasks, start=1)]
            results: list[dict[str, Any]] = []
            size = self._state.options.max_photos
            for first in range(0, len(work), size):
                results += await self._state.queue.run(
                    work[first : first + size], self._state.options.timeout, lambda: client_gone(request)
                )
        return JSONResponse({"results": results, "model_version": self.model.name})

    def _work(
        self, task: Task, number: int, control: Control, key: str | None
    ) -> Callable[[], dict[str, Any]]:
        """The work for one task, which runs in a thread."""

        def work() -> dict[str, Any]:
            try:
                photo = self._photos.read(task.data, key)
            except RequestError as error:
                message = f"task {number if task.id is None else task.id}: {error.message}."
                raise RequestError(error.status, error.code, message) from error
            result, size = self._state.predict(self.model, photo, number, Selection())
            return prediction(result, size, control, self.model.name)

        return work


def _parse(body: bytes, request: Request, model: type[BodyT]) -> BodyT:
    check_is_json(request)
    return parse_json(body, model)

"""The routes of the API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from boxmask.serving.metrics import MEDIA_TYPE
from boxmask.serving.models import ServedModel
from boxmask.serving.openapi import error_responses, photo_body
from boxmask.serving.predict_request import JsonRequest, Selection
from boxmask.serving.predict_route import predict
from boxmask.serving.results import PredictReply
from boxmask.serving.state import ServerState


class ModelDescription(BaseModel):
    """A model that clients name."""

    name: str
    method: str = Field(description='For example "faster-rcnn".')
    task: str = Field(description='"detection", "segmentation" or "classification".')
    form: str = Field(description='"onnx" for exported files, "torch" for all others.')
    class_names: list[str]


class ModelList(BaseModel):
    """All models. The first is the default."""

    models: list[ModelDescription]


class Status(BaseModel):
    """Whether the server runs."""

    status: str


def api_routes(state: ServerState) -> APIRouter:
    """The routes for programs that ask the models."""
    router = APIRouter()

    @router.post(
        "/v1/predict",
        summary="Find objects in photos",
        response_model=PredictReply,
        responses=error_responses(400, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": photo_body(Selection, JsonRequest, min_score=0.5)},
    )
    async def predict_photos(request: Request) -> Response:
        """Send one or several photos, as a form or as JSON. Results come in the order of the photos."""
        return await predict(request, state)

    @router.get("/v1/models", summary="List the models", responses=error_responses())
    async def list_models() -> ModelList:
        return ModelList(models=[_description(model) for model in state.models])

    return router


def status_routes(state: ServerState) -> APIRouter:
    """The routes for whoever watches the server."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the server runs", responses=error_responses())
    async def health() -> Status:
        return Status(status="ok")

    @router.get(
        "/readyz",
        summary="Whether the server takes requests",
        response_model=Status,
        responses=error_responses() | {503: {"model": Status, "description": "The server stops."}},
    )
    async def ready() -> Response:
        status: dict[str, Any] = {"status": "ready" if state.is_ready else "stopping"}
        return JSONResponse(status, 200 if state.is_ready else 503)

    @router.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses=error_responses() | {200: {"content": {"text/plain": {}}}},
    )
    async def metrics() -> Response:
        return Response(state.metrics.text(), media_type=MEDIA_TYPE)

    return router


def _description(model: ServedModel) -> ModelDescription:
    return ModelDescription(
        name=model.name,
        method=model.method,
        task=model.task,
        form=model.form,
        class_names=list(model.class_names),
    )

"""The routes of jobs: list, start, watch and stop them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from boxmask.detectors.table import DETECTORS
from boxmask.serving.dataset_names import dataset_ids
from boxmask.serving.errors import RequestError
from boxmask.serving.jobs.describe import Describer
from boxmask.serving.jobs.manager import JobManager
from boxmask.serving.jobs.replies import Choices, JobDetail, JobListReply, UseReply
from boxmask.serving.jobs.report import report_reply
from boxmask.serving.jobs.request import EXAMPLE, MAX_MINUTES, JobRequest, NoOptions
from boxmask.serving.jobs.results import report_of
from boxmask.serving.json_body import json_body, read_json
from boxmask.serving.openapi import error_responses
from boxmask.serving.state import ServerState
from boxmask.tasks.predictors import MODELS_OF_TASK
from boxmask.tasks.table import task_of

READ: dict[str, Any] = {"responses": error_responses(404)}
WRITE: dict[str, Any] = {
    "responses": error_responses(400, 404, 408, 409, 413, 415, 422, 429),
    "openapi_extra": {"requestBody": json_body(NoOptions, {})},
}


BODIES: list[type[BaseModel]] = [JobRequest, NoOptions]
"""The models of the bodies, for the description."""


def jobs_routes(state: ServerState) -> APIRouter:
    """The routes below /v1/jobs. The jobs start and stop with the server."""
    router, manager = APIRouter(tags=["Jobs"]), JobManager(state, dataset_ids(state.datasets))
    state.workers.append(manager.queue)
    describer = Describer(manager)
    _add_list(router, state, manager, describer)
    _add_one(router, manager, describer)
    _add_actions(router, state, manager, describer)
    return router


def _add_list(router: APIRouter, state: ServerState, manager: JobManager, describer: Describer) -> None:
    @router.get("/v1/jobs", summary="List trainings, comparisons and forecasts", **READ)
    async def list_jobs() -> JobListReply:
        """Those that wait come in the order in which they start."""
        return await asyncio.to_thread(describer.overview)

    @router.get("/v1/jobs/choices", summary="What a job may choose", **READ)
    async def choices() -> Choices:
        return _choices()

    @router.post(
        "/v1/jobs",
        summary="Add a training, comparison or forecast to the queue",
        status_code=201,
        responses=WRITE["responses"],
        openapi_extra={"requestBody": json_body(JobRequest, EXAMPLE)},
    )
    async def add(request: Request) -> JobDetail:
        """It starts as soon as those before it have ended."""
        asked = (await read_json(request, state.bodies, JobRequest)).root
        job = await asyncio.to_thread(manager.add, asked)
        return await asyncio.to_thread(describer.detail, job)


def _add_one(router: APIRouter, manager: JobManager, describer: Describer) -> None:
    @router.get("/v1/jobs/{job_id}", summary="Watch a job", **READ)
    async def watch(job_id: str) -> JobDetail:
        return await asyncio.to_thread(lambda: describer.detail(manager.job(job_id)))

    @router.get(
        "/v1/jobs/{job_id}/pictures/{name}",
        summary="What the model found after a validation, as JPEG",
        response_class=Response,
        responses=READ["responses"] | {200: {"content": {"image/jpeg": {}}}},
    )
    async def picture(job_id: str, name: str) -> Response:
        content = await asyncio.to_thread(lambda: describer.picture(manager.job(job_id), name))
        return Response(content, media_type="image/jpeg")

    @router.get(
        "/v1/jobs/{job_id}/report",
        summary="The report of a comparison, forecast or evaluation, as HTML",
        response_class=Response,
        responses=error_responses(404, 409) | {200: {"content": {"text/html": {}}}},
    )
    async def report(job_id: str) -> Response:
        """The page runs its own script alone, and reaches nothing of this server."""

        def find() -> Response:
            job = manager.job(job_id)
            file = report_of(job.kind, manager.folder(job))
            if file is None:
                raise RequestError(404, "no-report", "this job has no report yet.")
            return report_reply(file)

        return await asyncio.to_thread(find)


def _add_actions(router: APIRouter, state: ServerState, manager: JobManager, describer: Describer) -> None:
    actions = {
        "stop": ("Let a running job save its work and end", manager.queue.stop),
        "resume": ("Let a job that was stopped or has failed go on", manager.resume),
        "up": ("Let a waiting job start earlier", manager.queue.move_up),
    }

    def add(name: str, summary: str, act: Any) -> None:
        @router.post(f"/v1/jobs/{{job_id}}/{name}", summary=summary, operation_id=f"{name}_job", **WRITE)
        async def act_on(job_id: str, request: Request) -> JobDetail:
            await read_json(request, state.bodies, NoOptions)
            job = await asyncio.to_thread(manager.job, job_id)
            await asyncio.to_thread(act, job)
            return await asyncio.to_thread(describer.detail, job)

    for name, (summary, act) in actions.items():
        add(name, summary, act)

    @router.post("/v1/jobs/{job_id}/remove", summary="Take a job out of the list", status_code=204, **WRITE)
    async def remove(job_id: str, request: Request) -> Response:
        """Its files stay."""
        await read_json(request, state.bodies, NoOptions)
        await asyncio.to_thread(lambda: manager.queue.remove(manager.job(job_id)))
        return Response(status_code=204)

    @router.post("/v1/jobs/{job_id}/use", summary="Serve the model of a training", **WRITE)
    async def use(job_id: str, request: Request) -> UseReply:
        """GET /v1/models lists it from now on."""
        await read_json(request, state.bodies, NoOptions)
        return UseReply(model=await asyncio.to_thread(lambda: manager.use(manager.job(job_id))))


def _choices() -> Choices:
    models = {task: list(names) for task, names in MODELS_OF_TASK.items()}
    masks = [name for name in DETECTORS if getattr(task_of(name), "needs_masks", False)]
    return Choices(models=models, needs_masks=masks, max_minutes=MAX_MINUTES)

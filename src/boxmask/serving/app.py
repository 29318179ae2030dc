"""The app of FastAPI: models and options in, a server of requests out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from boxmask.errors import UsageError
from boxmask.missing_packages import WHOLE_TOOLKIT
from boxmask.options import option
from boxmask.serving.access import LOCAL_NAMES, AccessRules, CallerCheck, HostCheck
from boxmask.serving.dataset_names import check_datasets
from boxmask.serving.errors import add_error_handlers
from boxmask.serving.metrics import CountRequests
from boxmask.serving.models import ServedModel, has_toolkit
from boxmask.serving.openapi import describe
from boxmask.serving.options import ServeOptions
from boxmask.serving.page.routes import page_routes
from boxmask.serving.page.session import SessionBody
from boxmask.serving.predict_request import JsonRequest
from boxmask.serving.routes import api_routes, status_routes
from boxmask.serving.security_headers import SecurityHeaders
from boxmask.serving.state import ServerState

DESCRIPTION = "Find objects in photos with models that boxmask has trained."


def create_app(
    models: Sequence[ServedModel],
    options: ServeOptions | None = None,
    *,
    names: Sequence[str] = LOCAL_NAMES,
    any_address: bool = False,
) -> FastAPI:
    """An app that answers requests with these models; the first is the default.

        app = create_app(load_models([Path("runs/faster-rcnn-1")]))

    names:       of the server, which the header Host may hold, without ports
    any_address: accept all IP addresses as names

    The token of the options is needed if there is one. Raises UsageError and LabelError for the folder of
    Label Studio's photos, and UsageError for data sets that do not exist.
    """
    options = options or ServeOptions()
    _check_toolkit(options)
    check_datasets(options.data)
    state = ServerState(models, options)
    origins = [origin.lower() for origin in options.allow_origin]
    hosts = {name.lower() for name in (*names, *options.allow_host)}
    rules = AccessRules(hosts, any_address, origins, options.token)
    app = FastAPI(
        title="boxmask",
        version=_version(),
        description=DESCRIPTION,
        docs_url=None,  # loads its scripts from another server
        redoc_url=None,
        lifespan=_lifespan(state),
        middleware=_middleware(state, rules),
    )
    app.state.server = state
    bodies = _add_routes(app, state, rules)
    add_error_handlers(app)
    describe(app, bodies, has_token=options.token is not None)
    return app


def _add_routes(app: FastAPI, state: ServerState, rules: AccessRules) -> list[type[BaseModel]]:
    """Add all routes. Return the models of their bodies, for the description."""
    app.include_router(api_routes(state))
    app.include_router(status_routes(state))
    app.include_router(page_routes(state, rules, app.version))
    bodies: list[type[BaseModel]] = [JsonRequest, SessionBody]
    if has_toolkit():
        bodies += _add_toolkit_routes(app, state)
    return bodies


def _check_toolkit(options: ServeOptions) -> None:
    """Raise UsageError for options that boxmask-runtime does not have."""
    for name in ("data", "label_studio_photos"):
        if getattr(options, name) and not has_toolkit():
            raise UsageError(f"{option(name)} needs boxmask. {WHOLE_TOOLKIT}")


def _add_toolkit_routes(app: FastAPI, state: ServerState) -> list[type[BaseModel]]:
    """Add the routes that need more than boxmask-runtime; returns their bodies in JSON."""
    from boxmask.serving.explain.request import ExplainRequest
    from boxmask.serving.explain.routes import explain_routes
    from boxmask.serving.label_studio.routes import PredictBody, SetupBody, label_studio_routes
    from boxmask.serving.save.request import SaveBody
    from boxmask.serving.save.routes import save_routes

    app.include_router(label_studio_routes(state), prefix="/label-studio")
    app.include_router(explain_routes(state))
    app.include_router(save_routes(state))
    bodies: list[type[BaseModel]] = [PredictBody, SetupBody, ExplainRequest, SaveBody]
    return bodies + (_add_data_routes(app, state) if state.datasets else [])


def _add_data_routes(app: FastAPI, state: ServerState) -> list[type[BaseModel]]:
    """Add the routes that work on the data sets; returns their bodies in JSON."""
    from boxmask.serving.datasets.routes import DATASET_BODIES, dataset_routes
    from boxmask.serving.jobs.routes import BODIES, jobs_routes

    app.include_router(dataset_routes(state))
    app.include_router(jobs_routes(state))
    return [*DATASET_BODIES, *BODIES]


def _version() -> str:
    """The version of whichever distribution is installed."""
    try:
        return version("boxmask")
    except PackageNotFoundError:
        return version("boxmask-runtime")


def _middleware(state: ServerState, rules: AccessRules) -> list[Middleware]:
    """What each request passes, from the outside in."""
    layers = [
        Middleware(SecurityHeaders),
        Middleware(CountRequests, metrics=state.metrics),
        Middleware(HostCheck, rules=rules),
    ]
    if rules.origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(rules.origins),
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type"],
                expose_headers=["Retry-After"],
            )
        )
    return [*layers, Middleware(CallerCheck, rules=rules)]


def _lifespan(state: ServerState) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for worker in state.workers:
                await asyncio.to_thread(worker.open)
                stack.push_async_callback(asyncio.to_thread, worker.close)
            yield
            state.is_ready = False
            state.queue.close()

    return lifespan

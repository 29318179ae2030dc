"""The app of FastAPI: models and options in, a server of requests out.

A page for people would be one more router here, on the same models and behind the same checks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from boxmask.errors import UsageError
from boxmask.missing_packages import WHOLE_TOOLKIT
from boxmask.options import option
from boxmask.serving.access import LOCAL_NAMES, AccessRules, CallerCheck, HostCheck
from boxmask.serving.errors import add_error_handlers
from boxmask.serving.metrics import CountRequests
from boxmask.serving.models import ServedModel, has_toolkit
from boxmask.serving.openapi import describe
from boxmask.serving.options import ServeOptions
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
    Label Studio's photos.
    """
    options = options or ServeOptions()
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
    app.include_router(api_routes(state))
    app.include_router(status_routes(state))
    bodies: list[type[BaseModel]] = [JsonRequest]
    if has_toolkit():
        from boxmask.serving.label_studio.routes import PredictBody, SetupBody, label_studio_routes

        app.include_router(label_studio_routes(state), prefix="/label-studio")
        bodies += [PredictBody, SetupBody]
    elif options.label_studio_photos is not None:
        raise UsageError(f"{option('label_studio_photos')} needs boxmask. {WHOLE_TOOLKIT}")
    add_error_handlers(app)
    describe(app, bodies, has_token=options.token is not None)
    return app


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
        yield
        state.is_ready = False
        state.queue.close()

    return lifespan

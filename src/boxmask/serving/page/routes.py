"""All routes of the page itself."""

from __future__ import annotations

from fastapi import APIRouter

from boxmask.serving.access import AccessRules
from boxmask.serving.page.files import file_routes
from boxmask.serving.page.offer import offer_routes
from boxmask.serving.page.session import session_routes
from boxmask.serving.state import ServerState


def page_routes(state: ServerState, rules: AccessRules, version: str) -> APIRouter:
    """The files of the page, what it may show, and signing in."""
    router = APIRouter()
    router.include_router(file_routes())
    router.include_router(offer_routes(state, version))
    router.include_router(session_routes(state, rules))
    return router

"""The HTTP application: which operations there are, and the layers around them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from hub.http import (
    accounts,
    blocks,
    cases,
    commands,
    configuration,
    configuring,
    connectors,
    customers,
    events,
    factors,
    files,
    health,
    in_public,
    letters,
    live,
    operations,
    organizations,
    preferences,
    previews,
    problems,
    saved_views,
    session,
    team,
    trying,
    writing,
)
from hub.http.authentication import Authentication
from hub.http.context import AppContext
from hub.http.cursors import Cursors
from hub.http.files import files_app
from hub.http.openapi import DESCRIPTION, TAGS, describe
from hub.http.protection import Bounded, Shield
from hub.http.requests import Turns
from hub.http.streams import Places

# `live` before `cases`: its path would be taken for a case's.
ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    preferences.router,
    factors.ways,
    factors.router,
    live.router,
    cases.router,
    commands.router,
    in_public.router,
    writing.router,
    writing.conversations,
    files.router,
    previews.router,
    customers.router,
    blocks.router,
    organizations.router,
    saved_views.router,
    events.router,
    letters.router,
    configuration.router,
    configuring.router,
    trying.router,
    team.router,
    accounts.router,
    connectors.router,
    operations.router,
    health.router,
)

__all__ = ["api_app", "files_app"]

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]


def api_app(context: AppContext, lifespan: Lifespan | None = None) -> FastAPI:
    """API, streams, health and metrics. The console is mounted into it at /console and uses the same layers.

    Serve it on TCP as it is, and on a socket in the data folder through `authentication.as_operator`.
    """
    app = FastAPI(
        title="Hubbub",
        version=context.facts.version,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # both load scripts from a foreign origin
        redoc_url=None,
        lifespan=lifespan or _nothing,
        middleware=[
            Middleware(Shield, facts=context.facts, metrics=context.metrics),
            Middleware(Bounded, limits=context.facts.limits),
            Middleware(Authentication, context=context),
        ],
        redirect_slashes=False,
    )
    app.state.context = context
    app.state.cursors = Cursors(context.secret)
    app.state.turns = Turns()
    app.state.places = Places(context.facts.limits, context.metrics)
    app.state.progress = health.Progress()
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    return app


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield

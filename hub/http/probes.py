"""Health and metrics alone, for a process that serves no API."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from hub.http import health, problems
from hub.http.context import AppContext
from hub.http.protection import Bounded, Shield


def health_app(context: AppContext) -> FastAPI:
    """/health/live, /health/ready and /metrics, as the API answers them."""
    app = FastAPI(
        title="Hubbub",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Shield, facts=context.facts, metrics=context.metrics),
            Middleware(Bounded, limits=context.facts.limits),
        ],
        redirect_slashes=False,
    )
    app.state.context = context
    app.state.progress = health.Progress()
    problems.install(app)
    app.include_router(health.router)
    return app

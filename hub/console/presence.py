"""Who else is in the case: asked every few seconds while it is open."""

from starlette.requests import Request
from starlette.responses import Response

from hub.console.asking import asked_of
from hub.console.console import Console
from hub.presence import names


async def here(console: Console, request: Request) -> Response:
    """Notes that the reader is here (or, with `gone`, no more); answers with the colleagues in words."""
    asked = await asked_of(console, request)
    presences, principal = console.context.presences, asked.desk.principal
    if asked.text("gone"):
        await presences.gone(principal.id, asked.case.id)
        return Response(status_code=204)
    others = await presences.here(principal, asked.case.id, is_writing=asked.text("writing") == "1")
    values = {"writing": names(others, writing=True), "reading": names(others, writing=False)}
    return console.pages.render(request, "fragments/here.html", values)

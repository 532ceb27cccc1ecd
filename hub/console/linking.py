"""Who is who: an agent links two handles as one person, or takes that back. Nothing is moved by either.

A form that is sent twice finds it done. No case moves on with it, so each time that it is done is a request of its own: the id
of one before would make its event a repeat, which nobody reads.
"""

from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from hub.console.asking import asked_of, done, refused
from hub.console.console import Console
from hub.console.person import handle_view
from hub.console.reading import case_page, place_of
from schemas.errors import Forbidden, Invalid, Unknown


async def link(console: Console, request: Request) -> Response:
    """The writer of the case and another, named by id or by address; of a name it is asked who is meant."""
    asked = await asked_of(console, request)
    people, principal = console.context.people, asked.desk.principal
    first = _id(asked.text("first")) or asked.case.handle
    named = asked.text("other")
    try:
        second = _id(named) or (await people.find(principal, named)).id
        await people.link(principal, first, second, asked.text("note"), uuid4())
    except Unknown as refusal:
        meant = [each for each in await people.named(principal, named) if each.id != first]
        if not meant:
            return await refused(console, request, asked.desk, asked, refusal)
        view = await asked.desk.case(asked.case.number, place_of(request))
        shown = [handle_view(each, asked.words) for each in meant]
        which = {"named": named, "meant": shown, "noted": asked.text("note")}
        return await case_page(console, request, asked.desk, view, more=which)
    except (Invalid, Forbidden) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "linked", "unlink", _pair(first, second))


async def unlink(console: Console, request: Request) -> Response:
    asked = await asked_of(console, request)
    first, second = asked.id("first"), asked.id("second")
    try:
        await console.context.people.unlink(asked.desk.principal, first, second, "", uuid4())
    except (Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "unlinked", "link", _pair(first, second))


async def keep_apart(console: Console, request: Request) -> Response:
    """No to a suggestion: it does not come again."""
    asked = await asked_of(console, request)
    other = asked.id("other")
    try:
        people = console.context.people
        await people.keep_apart(asked.desk.principal, asked.case.handle, other, "", uuid4())
    except (Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "apart", "link", _pair(asked.case.handle, other))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _pair(first: UUID, second: UUID) -> dict[str, str]:
    return {"first": str(first), "second": str(second), "other": str(second)}

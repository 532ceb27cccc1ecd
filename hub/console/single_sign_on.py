"""Signing in at somebody else's: away to the provider and back, and which of these ways lead to one's account."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.accounts.errors import Throttled, Unauthenticated
from hub.accounts.identities import NoPlace
from hub.console.account import URL, account_page
from hub.console.console import SIGN_IN, Console, inside
from hub.console.places import ROOT
from hub.console.words import Moment
from hub.http.problems import status_of
from hub.http.session import set_cookie
from hub.observe import Metric
from hub.openid.flow import LASTS, SingleSignOn, Way
from hub.openid.person import Person
from schemas.accounts import User, identity_id
from schemas.errors import Invalid, Outage, Refused, Unknown

WAY_COOKIE = "hubbub-way"
COOKIE_PATH = f"{ROOT}/sign-in/openid"
LONGEST_ANSWER = 8000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A way that leads to the account."""

    id: str
    title: str
    since: Moment


def _single_sign_on(console: Console) -> SingleSignOn:
    found = console.context.single_sign_on
    if found is None:
        raise Unknown("there is no such page")
    return found


def providers_of(console: Console) -> list[tuple[str, str]]:
    """(address that leads there, title), as the gate offers them."""
    held = console.context.single_sign_on
    return (
        []
        if held is None
        else [(f"{COOKIE_PATH}/{name}", each.title) for name, each in held.settings.items()]
    )


async def leave(console: Console, request: Request) -> Response:
    """Away to the provider. Who is signed in already adds a way to the account."""
    name, user, t = request.path_params["provider"], request.state.user, console.words(request).t
    next_url = inside(request.query_params.get("next", ""))
    try:
        url, kept = await _single_sign_on(console).begin(
            name, _back(console, name), next_url, user.name if user is not None else ""
        )
    except Outage as error:
        log.warning("single-sign-on-waits", provider=name, reason=str(error))
        return _told(console, request, t("openid.away"), status_of(error))
    response = RedirectResponse(url, 302, {"Cache-Control": "no-store"})
    response.set_cookie(
        WAY_COOKIE,
        kept,
        max_age=int(LASTS.total_seconds()),
        path=COOKIE_PATH,
        httponly=True,
        samesite="lax",  # it has to come along when the provider sends the browser back
        secure=console.context.facts.is_https,
    )
    return response


async def come_back(console: Console, request: Request) -> Response:
    """Who comes back is signed in, or sees why not; the log says more."""
    response = await _come_back(console, request)
    response.delete_cookie(WAY_COOKIE, path=COOKIE_PATH)
    return response


async def _come_back(console: Console, request: Request) -> Response:
    name, held, t = request.path_params["provider"], _single_sign_on(console), console.words(request).t
    kept = request.cookies.get(WAY_COOKIE, "")
    try:
        if len(request.url.query) > LONGEST_ANSWER:
            raise Unauthenticated("the answer is too long")
        taken = await console.context.accounts.visit(request.state.address)
        person, way = await held.finish(name, kept, dict(request.query_params), _back(console, name))
        await console.context.accounts.welcome(taken)
        if way.link_to:
            return await _add(console, request, person, way)
        return await _sign_in(console, request, person, way)
    except Throttled as error:
        console.context.metrics.add(Metric.SIGN_INS, outcome="throttled")
        wait = t("sign-in.throttled", seconds=max(1, round(error.retry_after_seconds)))
        return _told(console, request, wait, status_of(error))
    except NoPlace as error:
        log.warning("single-sign-on-without-place", provider=name, reason=error.reason)
        console.context.metrics.add(Metric.SIGN_INS, outcome="refused")
        return _told(console, request, t(f"openid.no-place-{error.reason}"), status_of(error))
    except Unauthenticated as error:
        log.warning("single-sign-on-refused", provider=name, reason=str(error))
        console.context.metrics.add(Metric.SIGN_INS, outcome="refused")
        return _told(console, request, t("openid.refused"), status_of(error))
    except Outage as error:
        log.warning("single-sign-on-waits", provider=name, reason=str(error))
        return _told(console, request, t("openid.away"), status_of(error))


async def _sign_in(console: Console, request: Request, person: Person, way: Way) -> Response:
    settings = _single_sign_on(console).settings[person.provider]
    token, session, _ = await console.context.accounts.identities.sign_in(
        person,
        request.state.address,
        request.headers.get("user-agent", ""),
        create=settings.create_users,
        by_mail=settings.link_by_mail,
    )
    console.context.metrics.add(Metric.SIGN_INS, outcome="succeeded")
    response = console.pages.see(inside(way.next))
    set_cookie(console.context, response, token, session)
    return response


async def _add(console: Console, request: Request, person: Person, way: Way) -> Response:
    user: User | None = request.state.user
    if user is None or user.name != way.link_to:
        raise Unauthenticated("somebody else is signed in now")
    try:
        await console.context.accounts.identities.add(user, person)
    except Refused:
        return await _ways(console, request, console.words(request).t("openid.elsewhere"), 409)
    return console.pages.see(f"{URL}/single-sign-on")


async def ways_page(console: Console, request: Request) -> Response:
    _single_sign_on(console)
    return await _ways(console, request)


async def remove_way(console: Console, request: Request) -> Response:
    """Not the last way in of who has no password."""
    user: User = request.state.user
    try:
        await console.context.accounts.identities.remove(user, UUID(request.path_params["id"]))
    except Invalid:
        return await _ways(console, request, console.words(request).t("openid.last"), 422)
    except ValueError:
        raise Unknown("there is no such sign-on") from None
    return console.pages.see(f"{URL}/single-sign-on")


async def _ways(console: Console, request: Request, problem: str = "", status: int = 200) -> Response:
    user: User = request.state.user
    words = console.words(request)
    titles = {each.issuer: each.title for each in _single_sign_on(console).settings.values()}
    known = [
        Known(
            str(identity_id(each.issuer, each.subject)),
            titles.get(each.issuer, each.issuer),
            words.ago(each.since),
        )
        for each in await console.context.accounts.identities.of(user.name)
    ]
    values = {"known": known, "providers": providers_of(console), "problem": problem}
    return await account_page(console, request, "account_ways.html", "single-sign-on", values, status)


async def farewell(console: Console, provider: str) -> str:
    """Where to sign out of the provider too; empty where there is nothing to offer."""
    held = console.context.single_sign_on
    if held is None or not provider:
        return ""
    try:
        return await held.farewell(provider, console.context.facts.public_url + SIGN_IN)
    except Outage:
        return ""


def _back(console: Console, name: str) -> str:
    return f"{console.context.facts.public_url}{COOKIE_PATH}/{name}/back"


def _told(console: Console, request: Request, problem: str, status: int) -> Response:
    values = {"problem": problem, "farewell": "", "providers": providers_of(console)}
    always = {"next": ROOT, "name": "", "over": False, "done": ""}
    return console.pages.render(request, "gate.html", {**always, **values}, status)

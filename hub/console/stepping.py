"""Signing in in two steps: the code at the gate, and the page that sets it up."""

from collections.abc import Mapping

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from hub.accounts import Throttled, Unauthenticated
from hub.accounts.totp import qr_svg
from hub.accounts.users import actor_of
from hub.console.console import PASSWORD, SECOND_FACTOR, SIGN_IN, Console, inside
from hub.console.places import ROOT
from hub.http.problems import status_of
from hub.http.session import cookie_token, enter_code_with, set_cookie
from schemas.accounts import Session, User
from schemas.errors import HubbubError, Invalid

LONGEST_CODE = 40
LONGEST_PASSWORD = 1000


async def code_page(console: Console, request: Request) -> Response:
    waiting = await console.context.accounts.sessions.awaiting(cookie_token(console.context, request))
    if waiting is None:
        return console.pages.see(SIGN_IN)
    return _code(console, request, request.query_params.get("next", ""))


async def enter_code(console: Console, request: Request) -> Response:
    form = await request.form(max_files=0, max_fields=5)
    code, next_url = str(form.get("code", ""))[:LONGEST_CODE], str(form.get("next", ""))
    accounts, t = console.context.accounts, console.words(request).t
    if await accounts.sessions.awaiting(cookie_token(console.context, request)) is None:
        return _code(console, request, next_url, t("factor.over"), 401)
    try:
        token, session, user = await enter_code_with(console.context, request, code)
    except Throttled as error:
        wait = t("sign-in.throttled", seconds=max(1, round(error.retry_after_seconds)))
        return _code(console, request, next_url, wait, status_of(error))
    except Unauthenticated as error:
        return _code(console, request, next_url, t("factor.wrong"), status_of(error))
    response = console.pages.see(PASSWORD if user.must_change_password else inside(next_url))
    set_cookie(console.context, response, token, session)
    return response


def _code(
    console: Console, request: Request, next_url: str, problem: str = "", status: int = 200
) -> Response:
    values = {"next": inside(next_url), "problem": problem}
    return console.pages.render(request, "gate_code.html", values, status)


async def factor_page(console: Console, request: Request) -> Response:
    return _page(console, request, {})


async def begin(console: Console, request: Request) -> Response:
    """Shows what the app is to be told, once: the page that comes again shows it no more."""
    form = await request.form(max_files=0, max_fields=5)
    session: Session = request.state.session
    accounts = console.context.accounts
    try:
        await accounts.prove(session, str(form.get("password", ""))[:LONGEST_PASSWORD])
    except (Invalid, Throttled) as error:
        return _refused(console, request, error, "password", {})
    offer = await accounts.factors.offer(session.user)
    return _page(console, request, {"offer": offer, "qr": _drawn(offer.uri)})


async def confirm(console: Console, request: Request) -> Response:
    try:
        codes = await console.context.accounts.confirm_factor(request.state.session, await _given(request))
    except (Invalid, Throttled) as error:
        return _refused(console, request, error, "code", {"again": True})
    return _page(console, request, {"codes": codes})


async def renew(console: Console, request: Request) -> Response:
    accounts = console.context.accounts
    try:
        user = await accounts.use_code(request.state.session.user, await _given(request))
    except (Unauthenticated, Throttled) as error:
        return _refused(console, request, error, "code", {})
    codes = await accounts.factors.renew_recovery(user.name, actor_of(user))
    return _page(console, request, {"codes": codes})


async def drop(console: Console, request: Request) -> Response:
    accounts = console.context.accounts
    if accounts.factors.is_required(request.state.user):
        text = console.words(request).t("factor.stays")
        return _page(console, request, {"problems": {"code": text}}, 422)
    try:
        user = await accounts.use_code(request.state.session.user, await _given(request))
    except (Unauthenticated, Throttled) as error:
        return _refused(console, request, error, "code", {})
    await accounts.factors.drop(user.name, actor_of(user))
    return console.pages.see(SECOND_FACTOR)


async def _given(request: Request) -> str:
    form = await request.form(max_files=0, max_fields=5)
    return str(form.get("code", ""))[:LONGEST_CODE]


def _drawn(uri: str) -> Markup:
    return Markup(qr_svg(uri))  # noqa: S704  drawn by us: squares


def _refused(
    console: Console, request: Request, error: HubbubError, field: str, more: Mapping[str, object]
) -> Response:
    t = console.words(request).t
    text = t("factor.wrong-password" if field == "password" else "factor.wrong")
    if isinstance(error, Throttled):
        text = t("sign-in.throttled", seconds=max(1, round(error.retry_after_seconds)))
    status = status_of(error)
    return _page(console, request, {"problems": {field: text}, **more}, 422 if status == 401 else status)


def _page(console: Console, request: Request, more: Mapping[str, object], status: int = 200) -> Response:
    user: User = request.state.user
    words = console.words(request)
    factor = user.second_factor
    values = {
        "forced": request.state.must_set_up_factor,
        "needs_password": not request.state.session.provider,
        "since": words.day(factor.since) if factor else "",
        "left": len(factor.recovery) if factor else 0,
        "is_on": factor is not None,
        "offer": None,
        "qr": "",
        "codes": (),
        "problems": {},
        "again": False,
        "action": SECOND_FACTOR,
        "root": ROOT,
    }
    return console.pages.render(request, "factor.html", {**values, **more}, status)

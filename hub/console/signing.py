"""Signing in and out, and one's own password."""

from collections.abc import Container
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from hub.accounts import Throttled, Unauthenticated, began_with_one_time_password
from hub.accounts.credentials import SHORTEST_PASSWORD
from hub.console.console import PASSWORD, SIGN_IN, Console, inside
from hub.console.places import ROOT
from hub.console.rendering import LANGUAGE_COOKIE, THEME_COOKIE, THEMES
from hub.console.single_sign_on import farewell, providers_of
from hub.console.words import LANGUAGES
from hub.http.problems import status_of
from hub.http.session import drop_cookie, set_cookie, sign_in_with
from schemas.errors import Invalid
from schemas.preferences import Theme

A_YEAR_SECONDS = 365 * 86400
LONGEST_NAME = 100
LONGEST_PASSWORD = 1000


async def sign_in_page(console: Console, request: Request) -> Response:
    if request.state.session is not None:
        return console.pages.see(ROOT)
    return _gate(console, request, request.query_params.get("next", ""))


async def sign_in(console: Console, request: Request) -> Response:
    """The same answer for a name that nobody has and for a wrong password."""
    form = await request.form(max_files=0, max_fields=10)
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    next_url = str(form.get("next", ""))
    t = console.words(request).t
    try:
        if len(name) > LONGEST_NAME or len(password) > LONGEST_PASSWORD:
            raise Unauthenticated("too long")
        token, session, user = await sign_in_with(console.context, request, name, password)
    except Throttled as error:
        wait = t("sign-in.throttled", seconds=max(1, round(error.retry_after_seconds)))
        return _gate(console, request, next_url, name, wait, status_of(error))
    except Unauthenticated as error:
        return _gate(console, request, next_url, name, t("sign-in.wrong"), status_of(error))
    target = PASSWORD if user.must_change_password else inside(next_url)
    if session.awaits_code:
        target = f"{SIGN_IN}/code?next={quote(inside(next_url), safe='')}"
    response = console.pages.see(target)
    set_cookie(console.context, response, token, session)
    return response


def _gate(
    console: Console,
    request: Request,
    next_url: str,
    name: str = "",
    problem: str = "",
    status: int = 200,
    farewell_url: str = "",
) -> Response:
    checked = inside(next_url)
    values = {
        "next": checked,
        "name": name[:LONGEST_NAME],
        "problem": problem,
        "over": bool(next_url) and checked != ROOT and not problem,
        "providers": providers_of(console),
        "done": console.words(request).t("openid.out") if farewell_url else "",
        "farewell": farewell_url,
    }
    return console.pages.render(request, "gate.html", values, status)


async def sign_out(console: Console, request: Request) -> Response:
    provider = request.state.session.provider
    await console.context.accounts.sign_out(request.state.session)
    response = console.pages.see(SIGN_IN)
    if url := await farewell(console, provider):
        # A link, for a form may not lead to another site (form-action), and so that it is the user's choice.
        request.state.session, request.state.principal = None, None
        response = _gate(console, request, "", farewell_url=url)
    drop_cookie(console.context, response)
    response.headers["Clear-Site-Data"] = '"cache"'  # drafts stay, so that signing out loses nothing
    return response


async def password_page(console: Console, request: Request) -> Response:
    return _password(console, request, {})


async def change_password(console: Console, request: Request) -> Response:
    form = await request.form(max_files=0, max_fields=10)
    old, new, again = (str(form.get(name, ""))[: LONGEST_PASSWORD + 1] for name in ("old", "new", "again"))
    if new != again:
        return _password(console, request, {"again": console.words(request).t("password.differ")})
    try:
        await console.context.accounts.change_password(request.state.session, old, new)
    except Throttled as error:
        return _password(
            console, request, {}, console.words(request).t.said(error.sentence), status_of(error)
        )
    except Invalid as error:
        said = console.words(request).t.said(error.sentence)
        return _password(console, request, error.problems, "" if error.problems else said)
    return console.pages.see(ROOT)


def _password(
    console: Console, request: Request, problems: dict[str, str], problem: str = "", status: int = 0
) -> Response:
    asks = not began_with_one_time_password(request.state.user, request.state.session)
    values = {
        "asks_old": asks,
        "problems": problems,
        "problem": problem,
        "forced": request.state.must_change_password,
        "shortest": SHORTEST_PASSWORD,
    }
    usual = 422 if problems or problem else 200
    return console.pages.render(request, "password.html", values, status or usual)


async def choose_theme(console: Console, request: Request) -> Response:
    return await _choose(console, request, "theme", THEME_COOKIE, THEMES)


async def choose_language(console: Console, request: Request) -> Response:
    return await _choose(console, request, "language", LANGUAGE_COOKIE, LANGUAGES)


async def _choose(
    console: Console, request: Request, field: str, cookie: str, choices: Container[str]
) -> Response:
    """What is none of the choices goes back to what the browser says."""
    form = await request.form(max_files=0, max_fields=5)
    chosen = str(form.get(field, ""))
    kept = chosen if chosen in choices else ""
    preferred: dict[str, object] = {field: Theme(kept or Theme.SYSTEM) if field == "theme" else kept}
    await console.context.accounts.users.prefer(request.state.user.name, preferred)
    response = console.pages.see(ROOT)
    if chosen in choices:
        secure = console.context.facts.is_https
        response.set_cookie(
            cookie,
            chosen,
            max_age=A_YEAR_SECONDS,
            path=ROOT,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
    else:
        response.delete_cookie(cookie, path=ROOT)
    return response

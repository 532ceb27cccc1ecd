"""What every handler of the console stands on, and the gate before it: signed in, own password, the form is ours."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from hub.accounts import Throttled, Unauthenticated
from hub.console.desk import Desk
from hub.console.frames import Frames
from hub.console.places import ROOT
from hub.console.rendering import Pages, is_partial
from hub.console.words import Words
from hub.http.context import AppContext
from hub.http.problems import status_of
from hub.http.rights import CsrfRefused, Right, must, require_csrf
from schemas.accounts import Principal
from schemas.errors import Forbidden, HubbubError, Outage, Refused, Unknown

SIGN_IN = f"{ROOT}/sign-in"
PASSWORD = f"{ROOT}/password"
ACCOUNT = f"{ROOT}/account"
SECOND_FACTOR = f"{ACCOUNT}/second-factor"
LONGEST_NEXT = 500


@dataclass(frozen=True)
class Console:
    context: AppContext
    pages: Pages
    frames: Frames

    def desk(self, request: Request) -> Desk:
        return Desk(self.context, self.principal(request), self.pages.words(request))

    async def page(
        self,
        request: Request,
        template: str,
        here: str,
        title: str,
        values: Mapping[str, object],
        status: int = 200,
    ) -> Response:
        """A page of its own beside the rail. `here` is the rail's link that leads to it; empty where none does."""
        rail = await self.desk(request).rail()
        around = {"rail": rail, "here": here, "level": "page", "page_title": title}
        return self.pages.render(request, template, {**around, **values}, status)

    def words(self, request: Request) -> Words:
        return self.pages.words(request)

    def principal(self, request: Request) -> Principal:
        found: Principal | None = request.state.principal
        if found is None:
            raise Unauthenticated("sign in")
        return found


Handler = Callable[[Console, Request], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def guarded(console: Console, handler: Handler) -> Endpoint:
    """The handler for those who are signed in; a refusal or an outage becomes a page that says what to do."""

    async def endpoint(request: Request) -> Response:
        return await _answered(console, request, _signed_in(handler))

    return endpoint


def unguarded(console: Console, handler: Handler) -> Endpoint:
    """For pages before somebody is signed in. That another site sends a form here, the layers around refuse."""

    async def endpoint(request: Request) -> Response:
        return await _answered(console, request, handler)

    return endpoint


def _signed_in(handler: Handler) -> Handler:
    async def inner(console: Console, request: Request) -> Response:
        if request.state.session is None:
            return go(console, request, f"{SIGN_IN}?next={quote(here(request), safe='')}")
        if request.state.must_change_password and request.url.path not in {PASSWORD, f"{ROOT}/sign-out"}:
            return go(console, request, PASSWORD)
        must_set_up = request.state.must_set_up_factor and not request.state.must_change_password
        if must_set_up and not request.url.path.startswith((SECOND_FACTOR, f"{ROOT}/sign-out")):
            return go(console, request, SECOND_FACTOR)
        await require_csrf(request)
        return await handler(console, request)

    return inner


async def _answered(console: Console, request: Request, handler: Handler) -> Response:
    try:
        return await handler(console, request)
    except (Refused, Outage) as error:
        return error_page(console, request, error)
    finally:
        await request.close()  # files that a form brought along


def error_page(console: Console, request: Request, error: HubbubError) -> Response:
    t = console.words(request).t
    title, text, icon = t("error.title"), t.said(error.sentence), "circle-alert"
    if isinstance(error, Unknown):
        title, text, icon = t("error.unknown-title"), t("error.unknown"), "search"
    elif isinstance(error, CsrfRefused):
        text = t("error.csrf")
    elif isinstance(error, Forbidden):
        title, icon = t("error.forbidden-title"), "lock"
    elif isinstance(error, Outage):
        title, text, icon = t("error.outage-title"), t("error.outage"), "hourglass"
    values = {"title": title, "text": text, "icon_name": icon}
    headers = {"Retry-After": "5"} if isinstance(error, Outage | Throttled) else {}
    if is_partial(request):
        headers["HX-Retarget"], headers["HX-Reswap"] = "#toasts", "innerHTML"
        return console.pages.render(request, "fragments/error_toast.html", values, status_of(error), headers)
    return console.pages.render(request, "error.html", values, status_of(error), headers)


def go(console: Console, request: Request, url: str) -> Response:
    """Send the browser there: htmx by its header, since it would follow a redirect into the fragment."""
    if is_partial(request):
        return Response(status_code=200, headers={"HX-Redirect": url, "Cache-Control": "no-store"})
    return console.pages.see(url)


def here(request: Request) -> str:
    """The address to come back to; of a form that was sent, the page it stood on is not known."""
    if request.method != "GET":
        return ROOT
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def inside(url: str) -> str:
    """The address if it is one of the console, else its front page: nobody is sent elsewhere by a link to sign in."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ROOT
    is_ours = (
        not parts.scheme and not parts.netloc and (parts.path == ROOT or parts.path.startswith(f"{ROOT}/"))
    )
    plain = all(32 < ord(letter) < 127 and letter != "\\" for letter in url)
    return url if is_ours and plain and len(url) <= LONGEST_NEXT else ROOT


def only_with(right: Right, console: Console, request: Request) -> Principal:
    """Who has the right; to others the page is not there."""
    try:
        return must(console.principal(request), right)
    except Forbidden:
        raise Unknown("there is no such page") from None

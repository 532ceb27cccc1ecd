"""Who asks: a key in the header, a session in a cookie, or the command on this machine over the socket in the data folder.

The middleware only finds out; what a request needs is said by the dependencies in `hub.http.rights`.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.kit.client_address import client_address
from hub.accounts import SignedIn
from hub.http.context import AppContext, Facts
from hub.http.problems import problem, problem_of
from schemas.accounts import ANY_QUEUE, Principal, Role
from schemas.errors import HubbubError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPERATOR = Principal(
    kind="operator", id="operator", name="operator on this machine", roles={ANY_QUEUE: Role.ADMIN}
)
OPERATOR_EXTENSION = "hubbub.operator"

Renew = Callable[[], Awaitable[Principal | None]]
"""Who the same credentials belong to now: what lasts (a stream) asks again."""


def cookie_name(facts: Facts) -> str:
    """`__Host-` makes browsers refuse the cookie from anything but this host over TLS (RFC 6265bis, 4.1.3.2)."""
    return "__Host-hubbub" if facts.is_https else "hubbub_session"


def as_operator(app: ASGIApp) -> ASGIApp:
    """The application for a socket in the data folder: whoever can open that file may do everything.

    A peer with a network address is never the operator, wherever this is served by mistake.
    """

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("client"):
            scope["extensions"] = {**(scope.get("extensions") or {}), OPERATOR_EXTENSION: {}}
        await app(scope, receive, send)

    return served


class Authentication:
    """Sets `request.state`: principal, session, user, must_change_password, must_set_up_factor, address, renew.

    Unsafe requests with a cookie that another site made are refused here, whatever they ask for.
    """

    def __init__(self, app: ASGIApp, context: AppContext) -> None:
        self.app = app
        self._context = context
        self._cookie = cookie_name(context.facts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state |= {"principal": None, "session": None, "user": None, "renew": _nobody}
        state |= {"must_change_password": False, "must_set_up_factor": False}
        state["address"] = self._address(scope)
        connection = HTTPConnection(scope)
        try:
            await self._find(connection, state)
        except HubbubError as error:
            await problem_of(error, scope)(scope, receive, send)
            return
        carries_key = state["principal"] is not None and state["session"] is None
        if scope["method"] not in SAFE_METHODS and not carries_key and not self._is_ours(connection.headers):
            answer = problem(
                403, "another site made this request; open the console and try again", scope, kind="csrf"
            )
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _address(self, scope: Scope) -> str:
        client = scope.get("client")
        forwarded = [
            value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"
        ]
        found = client_address(client[0], forwarded, self._context.facts.trusted_proxies) if client else None
        return str(found or "")

    async def _find(self, connection: HTTPConnection, state: dict[str, object]) -> None:
        accounts = self._context.accounts
        if OPERATOR_EXTENSION in (connection.scope.get("extensions") or {}):
            state["principal"] = OPERATOR
            state["renew"] = _operator
            return
        scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            key = credentials.strip()
            state["principal"] = await accounts.principal_of_key(key)
            state["renew"] = lambda: accounts.principal_of_key(key)
            return
        token = connection.cookies.get(self._cookie, "")
        signed_in = await accounts.principal_of_session(token) if token else None
        if signed_in is not None:
            state["principal"] = signed_in.principal
            state["session"] = signed_in.session
            state["user"] = signed_in.user
            by_password = not signed_in.session.provider
            state["must_change_password"] = signed_in.user.must_change_password and by_password
            state["must_set_up_factor"] = accounts.must_set_up_factor(signed_in)
            state["renew"] = lambda: _still(accounts.principal_of_session(token))

    def _is_ours(self, headers: Headers) -> bool:
        """Whether a browser made the request for a page of ours, or no browser made it at all."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        origin = headers.get("origin")
        if origin is None:
            return True
        scheme = "https" if self._context.facts.is_https else "http"
        return origin in {_origin(self._context.facts.public_url), f"{scheme}://{headers.get('host', '')}"}


async def _nobody() -> Principal | None:
    return None


async def _operator() -> Principal | None:
    return OPERATOR


async def _still(asked: Awaitable[SignedIn | None]) -> Principal | None:
    signed_in = await asked
    return signed_in.principal if signed_in is not None else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

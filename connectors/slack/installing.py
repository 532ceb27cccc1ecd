"""The pages by which a workspace installs the app: `…/install` sends a browser to Slack, which sends it back to `…/redirect`.

https://docs.slack.dev/authentication/installing-with-oauth · state: RFC 6749, section 10.12
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from markupsafe import Markup
from slack_sdk.oauth import AuthorizeUrlGenerator

from connectors.kit.channel import Surroundings
from connectors.kit.grants import Grants
from connectors.kit.hooks import HookAnswer, HookRequest
from connectors.kit.rates import Rate, TokenBuckets
from connectors.kit.signed_tokens import SignedTokens
from connectors.slack.names import CHANNEL, ID, ORGANIZATION
from connectors.slack.parse.blocks import string
from connectors.slack.renewing import good_until
from connectors.slack.scopes import scopes_of
from connectors.slack.settings import SlackAccount
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.errors import Conflict, Outage

log = structlog.get_logger("connectors.slack")

INSTALL, REDIRECT = "/install", "/redirect"
COOKIE = "hubbub-slack-install"
STATE_IS_GOOD_FOR = timedelta(minutes=10)
RETURNS = Rate(per_minute=60, burst=20)
"""Each that comes back may cost a write and a call to Slack."""
LONGEST_FIELD = 500
USED = "used-states"
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
}
PAGE = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>body{{font:1rem/1.5 system-ui;margin:3rem auto;max-width:34rem;padding:0 1rem}}</style>"
    "<h1>{title}</h1><p>{words}</p></html>"
)


class Installing:
    """Of one account. `page` answers; `installed` is called when something was granted."""

    def __init__(
        self,
        settings: SlackAccount,
        around: Surroundings,
        public_url: str,
        grants: Grants,
        installed: Callable[[], Awaitable[None]],
    ) -> None:
        assert settings.oauth is not None
        self._account = settings.name
        self._oauth = settings.oauth
        self._clock = around.clock
        self._cursors = around.cursors
        self._grants = grants
        self._installed = installed
        self._web = SlackWeb("", settings.api_url)
        self._tokens = SignedTokens(around.secret("slack install"), "slack install")
        self._rates = TokenBuckets(RETURNS)
        self._path = f"/hooks/{CHANNEL}/{settings.name}"
        self._is_encrypted = public_url.startswith("https://")
        self.address = f"{public_url.rstrip('/')}{self._path}{INSTALL}"
        self._redirect = f"{public_url.rstrip('/')}{self._path}{REDIRECT}"
        api = urlsplit(settings.api_url)
        self._slack = AuthorizeUrlGenerator(
            client_id=self._oauth.client_id,
            redirect_uri=self._redirect,
            scopes=scopes_of(settings),
            authorization_url=f"{api.scheme}://{api.netloc}/oauth/v2/authorize",
        )

    async def page(self, request: HookRequest) -> HookAnswer | None:
        """Only these two paths, asked for with GET, are pages."""
        if request.method not in ("GET", "HEAD") or request.path not in (INSTALL, REDIRECT):
            return None
        if request.path == INSTALL:
            return self._begin()
        try:
            return await self._end(request)
        except (Outage, Conflict) as error:
            return _page(
                503, "Not now", f"The hub cannot keep the installation just now: {error}. Try again."
            )

    async def close(self) -> None:
        await self._web.close()

    def _begin(self) -> HookAnswer:
        """The state is proven to be ours, lasts minutes, and is good in this browser alone: its other half is a cookie."""
        half = secrets.token_urlsafe(24)
        state = self._tokens.issue(half, uuid4(), self._clock.now())
        seconds = int(STATE_IS_GOOD_FOR.total_seconds())
        headers = {"location": self._slack.generate(state), "set-cookie": self._cookie(half, seconds)}
        return HookAnswer(302, headers={**HEADERS, **headers})

    def _cookie(self, value: str, seconds: int) -> str:
        """Lax: the browser comes back from Slack by a link."""
        secure = "; Secure" if self._is_encrypted else ""
        return f"{COOKIE}={value}; Path={self._path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    async def _end(self, request: HookRequest) -> HookAnswer:
        query = {name: value[:LONGEST_FIELD] for name, value in request.query.items()}
        now = self._clock.now()
        if self._rates.take(self._account, now):
            return _page(429, "Not now", "Too many are at it. Try again in a minute.")
        issued = self._tokens.read(_half(request.headers), query.get("state", ""))
        if issued is None or not timedelta() <= now - issued.at <= STATE_IS_GOOD_FOR:
            words = "This page was not opened from the installation page in this browser, or too late. Begin again."
            return _page(400, "Not installed", words)
        if not await self._is_first_use(issued.nonce.hex, issued.at):
            return _page(400, "Not installed", "This page was opened before. Begin again.")
        if query.get("error"):
            return self._over(_page(200, "Not installed", f"Slack says: {query['error']}."))
        try:
            found = await self._web.granted(
                self._oauth.client_id,
                self._oauth.client_secret,
                code=query.get("code", ""),
                redirect_uri=self._redirect,
            )
        except FAILURES as error:
            return self._over(_page(502, "Not installed", f"Slack did not grant it: {error_of(error)}."))
        return self._over(await self._granted(found, now))

    async def _granted(self, answer: Mapping[str, Any], now: datetime) -> HookAnswer:
        is_whole = answer.get("is_enterprise_install") is True
        team = answer.get("enterprise" if is_whole else "team")
        team = team if isinstance(team, dict) else {}
        id, title, token = (
            string(team.get("id")),
            string(team.get("name")),
            string(answer.get("access_token")),
        )
        if not ID.fullmatch(id) or not token or is_whole != id.startswith(ORGANIZATION):
            return _page(400, "Not installed", "Slack named neither a workspace nor an organization.")
        if not self._oauth.anyone and id not in self._oauth.teams:
            await self._give_back(token)
            kind = "organization" if is_whole else "workspace"
            words = f"The {kind} {title or id} ({id}) is not among those that may install this app."
            return _page(403, "Not installed", words)
        tokens = {"token": token, "refresh": string(answer.get("refresh_token"))}
        await self._grants.keep(CHANNEL, self._account, id, title, tokens, good_until(answer, now))
        log.info("slack: the app was installed", account=self._account, team=id)
        await self._installed()
        then = "Add it to workspaces of the organization, and invite" if is_whole else "Invite"
        words = f"The app is installed in {title or id}. {then} it to the channels it is for."
        return _page(200, "Installed", words)

    async def _give_back(self, token: str) -> None:
        """A token that nobody wanted is made void. https://docs.slack.dev/reference/methods/auth.revoke"""
        web = SlackWeb(token, self._web.api_url)
        try:
            await web.client.auth_revoke(test=False)
        except FAILURES as error:
            log.warning("slack: a token was not given back", reason=error_of(error))
        finally:
            await web.close()

    async def _is_first_use(self, nonce: str, issued_at: datetime) -> bool:
        """In whichever process: a state is used once. Raises Outage."""
        stream = f"{USED}:{nonce[:2]}"  # so that few write the same
        try:
            cursor = await self._cursors.load(CHANNEL, self._account, stream)
            used = json.loads(cursor.value) if cursor.value else {}
            edge = (self._clock.now() - STATE_IS_GOOD_FOR).isoformat()
            kept = {name: at for name, at in used.items() if at >= edge}
            if nonce in kept:
                return False
            await self._cursors.save(cursor, json.dumps({**kept, nonce: issued_at.isoformat()}))
        except Conflict:  # somebody else at this very moment; begin again
            return False
        return True

    def _over(self, answer: HookAnswer) -> HookAnswer:
        """The browser forgets its half."""
        return HookAnswer(
            answer.status,
            answer.body,
            answer.media_type,
            {**answer.headers, "set-cookie": self._cookie("", 0)},
        )


def _half(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _page(status: int, title: str, words: str) -> HookAnswer:
    body = PAGE.format(title=title, words=words)  # escaped by it
    return HookAnswer(status, body.encode(), "text/html; charset=utf-8", HEADERS)

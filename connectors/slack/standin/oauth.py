"""Installing an app and renewing its tokens. https://docs.slack.dev/authentication/using-token-rotation"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.slack.names import ORGANIZATION
from connectors.slack.standin.workspace import APP, BOT_USER, Json

CLIENT_ID, CLIENT_SECRET = "111.222", "standin-client-secret"
TOKEN_SECONDS = 43_200
MOST_GOOD = 2
"""Tokens of one installation that are good at once."""


class OAuthError(Exception):
    """`ok: false` with this word."""


@dataclass
class OAuth:
    """`approver`: the workspace, with its name, whose administrator looks at the page; None: they decline."""

    now: Callable[[], datetime]
    approver: tuple[str, str] | None = None
    rotates: bool = True
    _codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)
    _refreshes: dict[str, tuple[str, str]] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def authorize(self, query: Json) -> str:
        """Where the browser goes on."""
        back = {"state": query.get("state", "")}
        if query.get("client_id") != CLIENT_ID or not query.get("scope"):
            return f"{query['redirect_uri']}?{urlencode({**back, 'error': 'invalid_client_id'})}"
        if self.approver is None:
            return f"{query['redirect_uri']}?{urlencode({**back, 'error': 'access_denied'})}"
        code = f"code-{next(self._numbers)}"
        self._codes[code] = (*self.approver, query["redirect_uri"])
        return f"{query['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def access(self, client: tuple[str, str], values: Json) -> Json:
        """oauth.v2.access, for a code or to renew. Raises OAuthError."""
        if client[0] != CLIENT_ID:
            raise OAuthError("invalid_client_id")
        if client[1] != CLIENT_SECRET:
            raise OAuthError("bad_client_secret")
        if values.get("grant_type") == "refresh_token":
            known = self._refreshes.pop(values.get("refresh_token", ""), None)
            if known is None:
                raise OAuthError("invalid_refresh_token")
            return self._granted(*known)
        code = self._codes.pop(values.get("code", ""), None)
        if code is None:
            raise OAuthError("invalid_code")
        team, name, redirect = code
        if redirect != values.get("redirect_uri"):
            raise OAuthError("bad_redirect_uri")
        return self._granted(team, name)

    def team_of(self, token: str) -> str | None:
        """Whose token it is; None: nobody's. Raises OAuthError for one that is over."""
        if token not in self._tokens:
            return None
        team, ends = self._tokens[token]
        if ends is not None and ends <= self.now():
            raise OAuthError("token_expired")
        return team

    def good(self, team: str) -> list[str]:
        return [
            token
            for token, (of, ends) in self._tokens.items()
            if of == team and (not ends or ends > self.now())
        ]

    def revoke(self, token: str) -> None:
        self._tokens.pop(token, None)

    def uninstall(self, team: str) -> None:
        """The workspace removes the app: none of its tokens is good any more."""
        self._tokens = {token: each for token, each in self._tokens.items() if each[0] != team}
        self._refreshes = {token: each for token, each in self._refreshes.items() if each[0] != team}

    def _granted(self, team: str, name: str) -> Json:
        number = next(self._numbers)
        token = f"xoxe.xoxb-{number}" if self.rotates else f"xoxb-{number}"
        ends = self.now() + timedelta(seconds=TOKEN_SECONDS) if self.rotates else None
        self._tokens[token] = (team, ends)
        for old in self.good(team)[:-MOST_GOOD]:
            self.revoke(old)
        is_whole = team.startswith(ORGANIZATION)
        answer: Json = {
            "access_token": token,
            "token_type": "bot",
            "bot_user_id": BOT_USER,
            "app_id": APP,
            "team": None if is_whole else {"id": team, "name": name},
            "enterprise": {"id": team, "name": name} if is_whole else None,
            "is_enterprise_install": is_whole,
        }
        if self.rotates:
            refresh = f"xoxe-1-{number}"
            self._refreshes[refresh] = (team, name)
            answer |= {"refresh_token": refresh, "expires_in": TOKEN_SECONDS}
        return answer

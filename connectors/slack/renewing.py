"""Tokens of workspaces that installed the app, renewed well before they end, by one process at a time.

Slack lets two tokens be good at once, so that calls with the old one end well while others begin with the new one.
https://docs.slack.dev/authentication/using-token-rotation
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors.kit.grants import Grants
from connectors.slack.parse.blocks import string
from connectors.slack.settings import SlackOAuth
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.connecting import Grant
from schemas.errors import Invalid
from schemas.ports import Clock

log = structlog.get_logger("connectors.slack")

EARLY = timedelta(hours=2)
"""A token is good for twelve hours."""
LONGEST = timedelta(days=30)


def good_until(answer: Mapping[str, Any], now: datetime) -> datetime | None:
    """When the token of an answer ends; None: never, the app does not rotate tokens."""
    seconds = answer.get("expires_in")
    if not isinstance(seconds, int) or seconds <= 0:
        return None
    return now + min(timedelta(seconds=seconds), LONGEST)


class Renewal:
    """Of one app."""

    def __init__(self, oauth: SlackOAuth, api_url: str, grants: Grants, clock: Clock) -> None:
        self._oauth = oauth
        self._grants = grants
        self._clock = clock
        self._web = SlackWeb("", api_url)
        self._trouble_of: dict[str, str] = {}

    def is_due(self, grant: Grant) -> bool:
        now = self._clock.now()
        return grant.good_until is not None and grant.good_until - min(EARLY, self._half(grant)) <= now

    @staticmethod
    def _half(grant: Grant) -> timedelta:
        assert grant.good_until is not None
        return max(timedelta(), grant.good_until - grant.granted_at) / 2

    async def renewed(self, grant: Grant) -> tuple[Grant, str]:
        """The grant with another token, or as it is where another process renews it; and what is wrong since the last try.

        Raises Outage.
        """
        grant, trouble = await self._renewed(grant)
        if trouble is not None:
            self._trouble_of[grant.name] = trouble
        return grant, self._trouble_of.get(grant.name, "")

    async def _renewed(self, grant: Grant) -> tuple[Grant, str | None]:
        """None: nothing was tried."""
        held = await self._grants.begin_renewal(grant)
        if held is None:
            return grant, None
        called = grant.title or grant.name
        try:
            refresh = self._grants.tokens(held).get("refresh", "")
            answer = await self._web.granted(
                self._oauth.client_id,
                self._oauth.client_secret,
                grant_type="refresh_token",
                refresh_token=refresh,
            )
        except Invalid as error:
            return held, f"{called}: {error}; install the app again"
        except FAILURES as error:
            log.warning("slack: a token was not renewed", team=grant.name, reason=error_of(error))
            words = f"its token could not be renewed, Slack says {error_of(error)}"
            return held, f"{called}: {words}; if that stays, install the app again"
        token, next_refresh = string(answer.get("access_token")), string(answer.get("refresh_token"))
        if not token:
            return held, f"{called}: its token could not be renewed, the answer holds none"
        tokens = {"token": token, "refresh": next_refresh or refresh}
        kept = await self._grants.renewed(held, tokens, good_until(answer, self._clock.now()))
        return (kept, "") if kept is not None else (grant, "")

    async def close(self) -> None:
        await self._web.close()

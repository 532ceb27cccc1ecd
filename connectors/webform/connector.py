"""The channel: every form of the settings, in one application that the hub mounts where visitors reach it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from starlette.types import Receive, Scope, Send

from connectors.kit.intake import Intake
from connectors.kit.signed_tokens import SignedTokens
from connectors.webform import responses
from connectors.webform.app import WebformApp
from connectors.webform.body import MemoryBudget
from connectors.webform.desk import Desk
from connectors.webform.intake import FormIntake
from connectors.webform.pages import FormPages, environment
from connectors.webform.parse.entry import EntryReader
from connectors.webform.parse.interaction import CHANNEL
from connectors.webform.recent import RecentEntries
from connectors.webform.settings import WebformSettings
from schemas.ports import Health, HealthState

STOPPING_RETRY_SECONDS = 5.0


class WebformConnector:
    """Implements ports.Connector. `app` is an ASGI application that answers 503 before `start` and after `stop`.

    `secret` signs the tokens of pages; the same one after a restart keeps open pages good. Behind uvicorn switch its own
    reading of X-Forwarded-For off (`proxy_headers=False`): here only `trusted_proxies` are believed.
    """

    channel = CHANNEL
    account = "forms"

    def __init__(
        self, settings: WebformSettings, intake: Intake, secret: bytes, new_nonce: Callable[[], UUID] = uuid4
    ) -> None:
        self._state = HealthState.STARTING
        self._in_flight = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._last_success_at: datetime | None = None
        self._trouble = ""
        tokens = SignedTokens(secret, CHANNEL)
        recent, budget, templates = RecentEntries(), MemoryBudget(settings.bytes_in_flight), environment()
        self._clock = intake.clock
        desks = {
            form.name: Desk(
                form,
                settings,
                FormPages(form, templates),
                tokens,
                FormIntake(EntryReader(form), tokens, intake, recent),
                budget,
            )
            for form in settings.forms
        }
        self._app = WebformApp(desks, intake.clock.now, new_nonce, self._taken, self._failed)

    async def start(self) -> None:
        self._state = HealthState.OK

    async def stop(self, grace_seconds: float) -> None:
        """New posts are sent away with 503; those under way are finished, as long as the grace lasts."""
        self._state = HealthState.STOPPED
        try:
            async with asyncio.timeout(grace_seconds):
                await self._is_idle.wait()
        except TimeoutError:
            return

    def health(self) -> Health:
        if self._state is HealthState.OK and self._trouble:
            return Health(HealthState.DEGRADED, self._trouble, self._last_success_at)
        return Health(self._state, last_success_at=self._last_success_at)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if self._state is not HealthState.OK and scope["type"] == "http":
            headers = responses.retry_headers(STOPPING_RETRY_SECONDS)
            closed = responses.problem(503, "", "forms are not being taken now; try again", (), headers)
            await closed(scope, receive, send)
            return
        self._in_flight += 1
        self._is_idle.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._is_idle.set()

    def _taken(self) -> None:
        self._last_success_at = self._clock.now()
        self._trouble = ""

    def _failed(self, trouble: str) -> None:
        self._trouble = trouble

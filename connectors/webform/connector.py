"""The channel: every form of the settings, in one application that the hub mounts where visitors reach it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from connectors.kit.intake import Intake
from connectors.kit.signed_tokens import SignedTokens
from connectors.webform.app import WebformApp
from connectors.webform.body import MemoryBudget
from connectors.webform.desk import Desk
from connectors.webform.gate import Gate
from connectors.webform.intake import FormIntake
from connectors.webform.pages import FormPages, environment
from connectors.webform.parse.entry import EntryReader
from connectors.webform.parse.interaction import CHANNEL
from connectors.webform.recent import RecentEntries
from connectors.webform.settings import WebformSettings
from schemas.ports import Health, HealthState


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
        self.app = Gate(WebformApp(desks, intake.clock.now, new_nonce, self._taken, self._failed))

    async def start(self) -> None:
        self._state = HealthState.OK
        self.app.open()

    async def stop(self, grace_seconds: float) -> None:
        self._state = HealthState.STOPPED
        await self.app.close(grace_seconds)

    def health(self) -> Health:
        if self._state is HealthState.OK and self._trouble:
            return Health(HealthState.DEGRADED, self._trouble, self._last_success_at)
        return Health(self._state, last_success_at=self._last_success_at)

    def _taken(self) -> None:
        self._last_success_at = self._clock.now()
        self._trouble = ""

    def _failed(self, trouble: str) -> None:
        self._trouble = trouble

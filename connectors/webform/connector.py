"""The channel: every form of the settings, in one application that the hub mounts where visitors reach it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID, uuid4

from connectors.kit.intake import Accepted, Intake
from connectors.kit.signed_tokens import SignedTokens
from connectors.webform.app import WebformApp
from connectors.webform.body import MemoryBudget
from connectors.webform.desk import Desk
from connectors.webform.gate import Gate
from connectors.webform.intake import FormIntake, Post
from connectors.webform.pages import FormPages, environment
from connectors.webform.parse.decode import Unreadable
from connectors.webform.parse.entry import EntryReader
from connectors.webform.parse.interaction import CHANNEL
from connectors.webform.recent import RecentEntries
from connectors.webform.rejections import Rejected
from connectors.webform.settings import WebformSettings
from schemas.errors import Invalid
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
        self._intakes = {
            form.name: FormIntake(EntryReader(form), tokens, intake, recent) for form in settings.forms
        }
        desks = {
            form.name: Desk(
                form, settings, FormPages(form, templates), tokens, self._intakes[form.name], budget
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

    async def reparse(
        self, form: str, original: bytes, facts: Mapping[str, str], received_at: datetime
    ) -> Accepted:
        """A quarantined original read again; `facts` is the quarantine item's `envelope`. Changes nothing by itself.

        Raises Invalid, with the reason, while it cannot be read.
        """
        intake = self._intakes.get(form)
        if intake is None:
            raise Invalid(f"there is no form {form!r} any more")
        content_type, signed_id = facts.get("content-type", ""), facts.get("webhook-id", "")
        post = Post(content_type, original, visitor="", received_at=received_at, signed_id=signed_id)
        try:
            return await asyncio.to_thread(intake.read_again, post)
        except Unreadable as unreadable:
            raise Invalid(f"it still cannot be read: {unreadable}") from None
        except Rejected as rejected:
            problems = {each.field: each.code.replace("_", " ") for each in rejected.problems}
            raise Invalid("it can be read, and fields are wrong", problems) from None

    def _taken(self) -> None:
        self._last_success_at = self._clock.now()
        self._trouble = ""

    def _failed(self, trouble: str) -> None:
        self._trouble = trouble

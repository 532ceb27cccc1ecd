"""One Slack account as the hub sees it: learns who we are, keeps events coming, closes gaps."""

import asyncio
from datetime import datetime, timedelta

import structlog

from connectors.kit.channel import Surroundings
from connectors.kit.items import Receiver
from connectors.slack.catchup import CatchUp
from connectors.slack.deliver import Sender
from connectors.slack.enrich import Enricher
from connectors.slack.hook import SlackHook
from connectors.slack.names import CHANNEL
from connectors.slack.parse.blocks import Json, string
from connectors.slack.parse.events import SlackContext, understanding
from connectors.slack.people import People
from connectors.slack.settings import API_URL, SlackAccount
from connectors.slack.sockets import SocketMode
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.errors import NotYet, Outage
from schemas.ports import Health, HealthState

log = structlog.get_logger("connectors.slack")

MARK_SECONDS = 60.0
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 2.0, 300.0
SILENT_FOR = timedelta(days=2)


class SlackConnector:
    """Implements ports.Connector. Nothing of it fails to start because Slack does not answer: that is health."""

    channel = CHANNEL

    def __init__(self, settings: SlackAccount, around: Surroundings) -> None:
        self.account = settings.name
        self.settings = settings
        self._clock = around.clock
        token = settings.bot_token.get_secret_value()
        self._web = SlackWeb(token, settings.api_url)
        self._context = SlackContext(
            team=settings.team,
            queue=settings.queue,
            channels=frozenset(settings.channels),
            outsiders_only=settings.customers == "outsiders",
        )
        self.people = People(self._web, around.clock)
        is_slack = settings.api_url == API_URL
        self._own_downloads = None if is_slack else around.downloads.trusting(settings.api_url)
        downloads = self._own_downloads or around.downloads
        self._enricher = Enricher(self._web, token, self.people, downloads, self._was_removed)
        self.receiver = Receiver(
            CHANNEL,
            settings.name,
            settings.brand,
            around.intake,
            understanding(self._context),
            self._enricher,
        )
        secrets = [each.get_secret_value() for each in settings.signing_secrets]
        self.hook = SlackHook(self.receiver, secrets) if secrets else None
        self.sender = Sender(settings, self._web, around.clock, around.fetch_blob)
        self._app_web: SlackWeb | None = None
        self.sockets: SocketMode | None = None
        if settings.app_token is not None:
            self._app_web = SlackWeb(settings.app_token.get_secret_value(), settings.api_url)
            self.sockets = SocketMode(
                self._app_web, self.receiver, around.clock, settings.connections, self._changed
            )
        self._catch_up = CatchUp(
            self._web,
            self.receiver,
            around.cursors,
            around.clock,
            settings.team,
            settings.channels,
            settings.catch_up_hours,
        )
        self._task: asyncio.Task[None] | None = None
        self._is_caught_up = False
        self._again_since: datetime | None = None
        self._was_cut_off = False
        self._trouble = ""
        self._removed = ""
        self._state = HealthState.STARTING
        self._last_success_at: datetime | None = None

    async def start(self) -> None:
        self._state = HealthState.OK
        if self.sockets is not None:
            self.sockets.start()
        self._task = asyncio.create_task(self._keep_going())

    async def stop(self, grace_seconds: float) -> None:
        self._state = HealthState.STOPPED
        if self.sockets is not None:
            await self.sockets.stop(grace_seconds)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._enricher.close()

    async def replay(self, since: datetime) -> str:
        """The history since then is read once more. Raises NotYet where nothing is read here."""
        if self._task is None or self._state is not HealthState.OK:
            raise NotYet(f"{self.account} is not read here")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._again_since, self._is_caught_up = since, False
        self._task = asyncio.create_task(self._keep_going())
        return f"the history since {since:%Y-%m-%d %H:%M} UTC is read again; what is known does nothing"

    async def close(self) -> None:
        """After the last send."""
        await self._web.close()
        if self._own_downloads is not None:
            await self._own_downloads.close()
        if self._app_web is not None:
            await self._app_web.close()

    def health(self) -> Health:
        if self._state is not HealthState.OK:
            return Health(self._state)
        trouble = self._removed or self._trouble or (self.sockets.trouble if self.sockets else "")
        if self.sockets is not None and not self.sockets.open:
            trouble = trouble or "no Socket Mode connection is open"
        last = self.sockets.last_event_at if self.sockets else self._last_success_at
        if trouble:
            return Health(HealthState.DEGRADED, trouble, last)
        open_now = f"{self.sockets.open} connections" if self.sockets else "events come by HTTP"
        return Health(HealthState.OK, open_now, last)

    def _was_removed(self, reason: str) -> None:
        log.error("slack: the account stopped", account=self.account, reason=reason)
        self._removed = reason

    def _changed(self) -> None:
        """A connection came or went. Where none was left, something may be missing."""
        if self.sockets is not None and not self.sockets.open and self._is_caught_up:
            self._was_cut_off = True

    async def _keep_going(self) -> None:
        """Learn who we are, then read what was missed, and say now and then that nothing is."""
        rest = FIRST_REST_SECONDS
        while True:
            try:
                if not self._context.own_ids:
                    self._context.own_ids.update(await self._identity())
                if not self._is_caught_up or self._is_back() or self.receiver.owes:
                    self._was_cut_off = self.receiver.owes = (
                        False  # Slack gives up on what is refused for minutes
                    )
                    taken = await self._catch_up.run(self._again_since)
                    self._again_since = None
                    self._is_caught_up = True
                    if taken:
                        log.info("slack: read what was missed", account=self.account, messages=taken)
                elif self._comes_through():
                    await self._catch_up.mark()
                self._trouble, self._removed, rest = "", "", FIRST_REST_SECONDS
                self._last_success_at = self._clock.now()
                await asyncio.sleep(MARK_SECONDS if not self._was_cut_off else FIRST_REST_SECONDS)
            except (*FAILURES, Outage) as error:
                self._trouble = str(error) if isinstance(error, Outage) else f"Slack says {error_of(error)}"
                await asyncio.sleep(rest)
                rest = min(LONGEST_REST_SECONDS, rest * 2)
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("slack: keeping up failed", account=self.account)
                await asyncio.sleep(LONGEST_REST_SECONDS)

    def _is_back(self) -> bool:
        return self._was_cut_off and self.sockets is not None and self.sockets.open > 0

    def _comes_through(self) -> bool:
        return not self._was_cut_off and (self.sockets is None or self.sockets.open > 0)

    async def _identity(self) -> set[str]:
        """App, bot and user ids of ours. https://docs.slack.dev/reference/methods/auth.test"""
        who = await self._web.ask("auth.test")
        if string(who.get("team_id")) != self.settings.team:
            raise ValueError(
                f"the token is of {who.get('team_id')}, and the settings name {self.settings.team}"
            )
        bot_id = string(who.get("bot_id"))
        ids = {string(who.get("user_id")), bot_id}
        if bot_id:
            bot = (await self._web.ask("bots.info", bot=bot_id)).get("bot")
            known: Json = bot if isinstance(bot, dict) else {}
            ids.add(string(known.get("app_id")))
        return ids - {""}

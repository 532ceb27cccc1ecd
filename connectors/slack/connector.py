"""One Slack account as the hub sees it: takes events, keeps its workspaces in order, closes gaps."""

import asyncio
from datetime import datetime

import structlog

from connectors.kit.channel import Surroundings
from connectors.kit.items import Receiver
from connectors.slack.hook import SlackHook
from connectors.slack.installing import Installing
from connectors.slack.names import CHANNEL
from connectors.slack.parse.events import understanding_by
from connectors.slack.renewing import Renewal
from connectors.slack.settings import API_URL, SlackAccount
from connectors.slack.sockets import SocketMode
from connectors.slack.web import SlackWeb
from connectors.slack.workspace import Parts, Workspace
from connectors.slack.workspaces import Workspaces
from schemas.errors import Invalid, NotYet, Outage
from schemas.ports import Health, HealthState

log = structlog.get_logger("connectors.slack")

MARK_SECONDS = 60.0
AT_ONCE = 8
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 2.0, 300.0


class SlackConnector:
    """Implements ports.Connector. Nothing of it fails to start because Slack does not answer: that is health."""

    channel = CHANNEL

    def __init__(self, settings: SlackAccount, around: Surroundings) -> None:
        """Raises Invalid where the settings ask for what the surroundings do not have."""
        self.account = settings.name
        self.settings = settings
        self._clock = around.clock
        is_slack = settings.api_url == API_URL
        self._own_downloads = None if is_slack else around.downloads.trusting(settings.api_url)
        self.workspaces, installing = self._workspaces(settings, around)
        self.receiver = Receiver(
            CHANNEL,
            settings.name,
            settings.brand,
            around.intake,
            understanding_by(self.workspaces.context_of),
            self.workspaces.enrich,
        )
        downloads = self._own_downloads or around.downloads
        self.workspaces.begin(Parts(settings, around, downloads, self.receiver))
        if settings.team is not None and settings.bot_token is not None:
            self.workspaces.add(settings.team, settings.bot_token.get_secret_value())
        secrets = [each.get_secret_value() for each in settings.signing_secrets]
        self.hook = SlackHook(self.receiver, secrets, installing) if secrets or installing else None
        self.sender = self.workspaces
        self._app_web: SlackWeb | None = None
        self.sockets: SocketMode | None = None
        if settings.app_token is not None:
            self._app_web = SlackWeb(settings.app_token.get_secret_value(), settings.api_url)
            self.sockets = SocketMode(
                self._app_web, self.receiver, around.clock, settings.connections, self._changed
            )
        self._task: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._was_cut_off = False
        self._trouble = ""
        self._state = HealthState.STARTING
        self._last_success_at: datetime | None = None

    def _workspaces(
        self, settings: SlackAccount, around: Surroundings
    ) -> tuple[Workspaces, Installing | None]:
        if settings.oauth is None:
            return Workspaces(around.clock, None, None, settings.name), None
        if around.public_url is None or around.grants is None:
            cure = "say where browsers and Slack reach the intake, such as https://hooks.example.com"
            raise Invalid("Slack's oauth needs a public address", {"intake.public_url": cure})
        renewal = Renewal(settings.oauth, settings.api_url, around.grants, around.clock)
        workspaces = Workspaces(around.clock, around.grants, renewal, settings.name)
        return workspaces, Installing(settings, around, around.public_url, around.grants, workspaces.refresh)

    async def start(self) -> None:
        self._state = HealthState.OK
        if self.sockets is not None:
            self.sockets.start()
        self._task = asyncio.create_task(self._keep_going())

    async def stop(self, grace_seconds: float) -> None:
        self._state = HealthState.STOPPED
        if self.sockets is not None:
            await self.sockets.stop(grace_seconds)
        await self._rest()
        await self.workspaces.close_enrichers()

    async def replay(self, since: datetime) -> str:
        """The history since then is read once more. Raises NotYet where nothing is read here."""
        if self._task is None or self._state is not HealthState.OK:
            raise NotYet(f"{self.account} is not read here")
        await self._rest()
        for each in self.workspaces:
            each.read_again(since)
        self._task = asyncio.create_task(self._keep_going())
        return f"the history since {since:%Y-%m-%d %H:%M} UTC is read again; what is known does nothing"

    async def close(self) -> None:
        """After the last send."""
        await self.workspaces.close()
        if self._own_downloads is not None:
            await self._own_downloads.close()
        if self._app_web is not None:
            await self._app_web.close()
        if self.hook is not None and self.hook.installing is not None:
            await self.hook.installing.close()

    async def _rest(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def install_address(self) -> str:
        """Empty where nobody installs it."""
        installing = self.hook.installing if self.hook is not None else None
        return installing.address if installing is not None else ""

    @property
    def is_caught_up(self) -> bool:
        return bool(len(self.workspaces)) and all(each.is_caught_up for each in self.workspaces)

    def health(self) -> Health:
        if self._state is not HealthState.OK:
            return Health(self._state)
        trouble = self._trouble or "; ".join(self.workspaces.troubles())
        trouble = trouble or (self.sockets.trouble if self.sockets else "")
        if self.sockets is not None and not self.sockets.open:
            trouble = trouble or "no Socket Mode connection is open"
        last = self.sockets.last_event_at if self.sockets else self._last_success_at
        if trouble:
            return Health(HealthState.DEGRADED, trouble, last)
        told = f"{self.sockets.open} connections" if self.sockets else "events come by HTTP"
        if self.workspaces.are_installed:
            told = f"installed in {len(self.workspaces)} workspaces, {told}"
        return Health(HealthState.OK, told, last)

    def _changed(self) -> None:
        """A connection came or went. Where none was left, something may be missing."""
        if self.sockets is not None and not self.sockets.open:
            self._was_cut_off = True

    async def _keep_going(self) -> None:
        """Look after each workspace: at once what was missed, then now and then that nothing is."""
        rest = FIRST_REST_SECONDS
        while True:
            try:
                is_well = await self._look_after_all()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("slack: keeping up failed", account=self.account)
                is_well, rest = False, LONGEST_REST_SECONDS
            if is_well:
                rest = FIRST_REST_SECONDS
                self._last_success_at = self._clock.now()
                is_idle = self.is_caught_up and not self._was_cut_off
                await asyncio.sleep(
                    MARK_SECONDS if is_idle or not len(self.workspaces) else FIRST_REST_SECONDS
                )
            else:
                await asyncio.sleep(rest)
                rest = min(LONGEST_REST_SECONDS, rest * 2)

    async def _look_after_all(self) -> bool:
        try:
            await self.workspaces.refresh()
            self._trouble = ""
        except Outage as outage:
            self._trouble = str(outage)
            return False
        if self._is_back() or self.receiver.owes:  # Slack gives up on what is refused for minutes
            self._was_cut_off = self.receiver.owes = False
            for each in self.workspaces:
                each.fall_behind()
        return all(await asyncio.gather(*map(self._look_after, self.workspaces)))

    async def _look_after(self, workspace: Workspace) -> bool:
        """One whose history is long, or that we fail at, holds up no others."""
        async with self._slots:
            try:
                return await workspace.look_after(self._comes_through())
            except Exception:
                log.exception("slack: keeping up failed", account=self.account, team=workspace.team)
                return False

    def _is_back(self) -> bool:
        return self._was_cut_off and self.sockets is not None and self.sockets.open > 0

    def _comes_through(self) -> bool:
        return not self._was_cut_off and (self.sockets is None or self.sockets.open > 0)

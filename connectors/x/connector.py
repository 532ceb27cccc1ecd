"""One account on X as the hub sees it: asks for what is new under a lease, and says what it costs."""

import asyncio
import contextlib
from datetime import datetime

import structlog

from connectors.kit.channel import Surroundings
from connectors.kit.items import Receiver
from connectors.x.checks import Checks
from connectors.x.client import FAILURES, XClient, XError
from connectors.x.deliver import Sender
from connectors.x.hook import XHook, XReceiver
from connectors.x.names import CHANNEL
from connectors.x.parents import Parents
from connectors.x.parse.events import XContext, understanding
from connectors.x.polling import Sweep, mentions, messages
from connectors.x.settings import XAccount
from connectors.x.spending import Spending
from schemas.errors import Conflict, NotYet, Outage
from schemas.ports import Health, HealthState

log = structlog.get_logger("connectors.x")

LONGEST_REST_SECONDS = 900.0
REFUSED = frozenset({401, 402, 403})
REFUSED_REST_SECONDS = 900.0


class XConnector:
    """Implements ports.Connector, and what only one process may run at a time (`start_as`)."""

    channel = CHANNEL

    def __init__(self, settings: XAccount, around: Surroundings) -> None:
        self.account = settings.name
        self._settings = settings
        self._clock = around.clock
        self.client = XClient(settings, around.clock)
        self.spending = Spending(
            around.cursors, around.clock, settings.name, settings.reads_a_month, settings.posts_a_month
        )
        understand = understanding(XContext(settings.user_id, settings.queue))
        self.private = Receiver(CHANNEL, settings.private_name, settings.brand, around.intake, understand)
        self.parents = Parents(self.client, self.spending, around.clock)
        self.receiver = XReceiver(
            CHANNEL,
            settings.name,
            settings.brand,
            around.intake,
            understand,
            private=self.private,
            parents=self.parents,
        )
        secrets = [each.get_secret_value() for each in settings.consumer_secrets]
        self.hook = XHook(self.receiver, secrets, settings.user_id) if settings.webhook else None
        self.sender = Sender(settings, self.client, around.clock, self.spending, around.fetch_blob)
        self.sweeps = self._sweeps(around)
        self.checks = self._checks(around)
        self._check_trouble = ""
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._token = 0
        self._state = HealthState.STARTING
        self._trouble = ""
        self._last_success_at: datetime | None = None

    def _sweeps(self, around: Surroundings) -> list[Sweep]:
        sweeps: list[Sweep] = []
        cursors, clock = around.cursors, around.clock
        if self._settings.mentions:
            own = self._settings.user_id
            sweeps.append(mentions(self.client, own, self.receiver, cursors, clock, self.spending))
        if self._settings.direct_messages:
            sweeps.append(messages(self.client, self.private, cursors, clock, self.spending))
        return sweeps

    def _checks(self, around: Surroundings) -> Checks | None:
        if around.kept is None or not self._settings.checks_a_month:
            return None
        return Checks(
            self.client,
            self.receiver,
            around.kept,
            around.cursors,
            self.spending,
            self._settings.checks_a_month,
            self._settings.check_days,
        )

    async def start(self) -> None:
        await self.start_as(0)

    async def start_as(self, token: int) -> None:
        """Under a lease: what is saved carries its token."""
        self._state, self._token = HealthState.OK, token
        self._stopping.clear()
        self._task = asyncio.create_task(self._keep_asking(token))

    async def stop(self, grace_seconds: float) -> None:
        self._state = HealthState.STOPPED
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping.set()  # a look that has begun is brought to its end, as far as there is time
        await asyncio.wait({task}, timeout=grace_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def replay(self, since: datetime) -> str:
        """X is asked once more for everything since then. Raises NotYet where it is not asked here."""
        if self._task is None:
            raise NotYet(f"{self.account} is not asked for here")
        await self.stop(0)
        for each in self.sweeps:
            each.again = since
        await self.start_as(self._token)
        return f"asked again since {since:%Y-%m-%d %H:%M} UTC, as far back as X goes; each read counts, what is known does nothing"

    async def close(self) -> None:
        """After the last send."""
        await self.parents.close()
        await self.client.close()

    def health(self) -> Health:
        if self._state is HealthState.STOPPED:
            return Health(self._state)
        gaps = "; ".join(each.gap for each in self.sweeps if each.gap)
        trouble = self._trouble or gaps or self._check_trouble
        spent = [self.spending.words()] + ([self.checks.words()] if self.checks is not None else [])
        detail = "; ".join([trouble, *spent] if trouble else spent)
        return Health(HealthState.DEGRADED if trouble else self._state, detail, self._last_success_at)

    async def look(self, token: int = 0) -> int:
        """Ask once for everything that is new. Returns how many items were given on."""
        taken = 0
        for sweep in self.sweeps:
            if not self.spending.may_read:
                self._trouble = "reads_a_month of the settings are used up; X is not asked until next month"
                break
            taken += await sweep.run(token)
        else:
            self._trouble = ""
        self._last_success_at = self._clock.now()
        return taken

    async def check(self, token: int = 0) -> None:
        """Look kept posts up again. What goes wrong with it is told, and holds up nothing else."""
        if self.checks is None:
            return
        try:
            await self.checks.run(token)
        except (*FAILURES, Outage, Conflict) as error:
            self._check_trouble = f"kept posts could not be looked up again: {error}"
        else:
            self._check_trouble = ""

    async def _keep_asking(self, token: int) -> None:
        """One look after the other. A limit is waited for as long as X asks."""
        failures = 0
        while not self._stopping.is_set():
            rest = self._settings.poll_seconds
            try:
                if not failures:
                    await self.spending.load()
                await self.look(token)
                failures = 0
                await self.check(token)
            except (*FAILURES, Outage, Conflict) as error:
                failures += 1
                self._trouble = str(error) or type(error).__name__
                rest = _rest(error, failures, rest)
            except asyncio.CancelledError:
                raise
            except Exception:
                failures += 1
                log.exception("x: asking failed", account=self.account)
                rest = LONGEST_REST_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._stopping.wait()


def _rest(error: BaseException, failures: int, usual: float) -> float:
    if isinstance(error, XError) and error.wait_seconds is not None:
        return max(1.0, min(LONGEST_REST_SECONDS, error.wait_seconds))
    if isinstance(error, XError) and error.status in REFUSED:
        return REFUSED_REST_SECONDS
    return float(min(LONGEST_REST_SECONDS, usual * 2 ** min(failures, 5)))

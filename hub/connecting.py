"""Connectors as operators see and steer them: when something last came, paused or not, read again since a time.

Orders are states beside the log, looked at every two seconds by the process that runs the connector, so that any process may
take them. What each connector is like is told the same way to those that do not run it.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.kit.channel import Replay
from schemas.connecting import ConnectorOrder, ConnectorReport, order_id, report_id
from schemas.errors import Conflict, HubbubError, NotYet, Outage
from schemas.ports import Clock, Connector, Engine, Health, HealthState
from schemas.steps import References, Step

log = logging.getLogger("hubbub.connectors")

LOOK_SECONDS = 2.0
REPORT_SECONDS = 10.0
REPORT_AGAIN = timedelta(seconds=60)
GRACE_SECONDS = 10.0
Key = tuple[str, str]
"""Channel and account."""


class Activity:
    """When something last came in, by channel and account. Since this process runs; before that nothing is known."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.since = clock.now()
        self._last: dict[Key, datetime] = {}
        self._of_channel: dict[str, datetime] = {}

    def came(self, channel: str, account: str) -> None:
        self._last[channel, account] = self._of_channel[channel] = self._clock.now()

    def last(self, channel: str, account: str) -> datetime | None:
        """Of the account; of its channel where the connector takes in for all of them."""
        return self._last.get((channel, account)) or self._of_channel.get(channel)


class Controlled:
    """Implements Connector: the inner one, unless it is paused."""

    def __init__(self, inner: Connector, controls: "Controls") -> None:
        self.channel = inner.channel
        self.account = inner.account
        self._inner = inner
        self._controls = controls
        self._is_wanted = False
        self._runs = False
        self._turn = asyncio.Lock()
        """Orders are looked at while it starts and stops."""

    async def start(self) -> None:
        self._is_wanted = True
        with suppress(Outage):
            await self._controls.look_up([(self.channel, self.account)])
        await self.follow()

    async def stop(self, grace_seconds: float) -> None:
        self._is_wanted = False
        async with self._turn:
            if self._runs:
                self._runs = False
                await self._inner.stop(grace_seconds)

    async def follow(self) -> None:
        """Runs if and only if it was started and is not paused."""
        async with self._turn:
            runs = self._is_wanted and not self._controls.is_paused(self.channel, self.account)
            if runs == self._runs:
                return
            if runs:
                await self._inner.start()
                self._runs = True
            else:
                self._runs = False
                await self._inner.stop(GRACE_SECONDS)

    def health(self) -> Health:
        order = self._controls.order(self.channel, self.account)
        if order is not None and order.paused and self._is_wanted:
            return Health(HealthState.DEGRADED, f"paused by {order.actor.name or order.actor.id}")
        return self._inner.health()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connector is. `silent_for` is longer than the settings allow; None: it is not, or there is no limit."""

    health: Health
    last_item_at: datetime | None = None
    silent_for: timedelta | None = None


class Controls:
    """`run` follows orders and reports, for the connectors of this process."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        activity: Activity,
        silent_after_hours: Mapping[str, float],
        replays: Mapping[str, Replay],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._activity = activity
        self._silent_after_hours = silent_after_hours
        self._replays = replays
        self._orders: dict[Key, ConnectorOrder] = {}
        self._reports: dict[Key, ConnectorReport] = {}
        self._connectors: list[Controlled] = []
        self._stopping = asyncio.Event()
        self._reported_at: datetime | None = None

    def controlled(self, connector: Connector) -> Connector:
        made = Controlled(connector, self)
        self._connectors.append(made)
        return made

    def order(self, channel: str, account: str) -> ConnectorOrder | None:
        return self._orders.get((channel, account))

    def is_paused(self, channel: str, account: str) -> bool:
        order = self.order(channel, account)
        return order is not None and order.paused

    def standing(self, health: Health, channel: str, account: str) -> Standing:
        last = self._activity.last(channel, account)
        hours = self._silent_after_hours.get(f"{channel}:{account}", self._silent_after_hours.get(channel))
        silent = self._clock.now() - (last or self._activity.since)
        is_silent = hours is not None and silent > timedelta(hours=hours) and health.state is HealthState.OK
        return Standing(health, last, silent if is_silent else None)

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.once()
            except Outage:
                pass  # the engine says so itself
            except Exception:
                log.exception("following the orders to connectors failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOOK_SECONDS)

    def stop(self) -> None:
        self._stopping.set()

    async def once(self) -> None:
        await self.look_up([(each.channel, each.account) for each in self._connectors])
        for each in self._connectors:
            try:
                await each.follow()
            except Exception:
                log.exception("%s:%s cannot be paused or resumed", each.channel, each.account)
            await self._replay(each)
        now = self._clock.now()
        if self._reported_at is None or (now - self._reported_at).total_seconds() >= REPORT_SECONDS:
            self._reported_at = now
            await self._report(now)

    async def look_up(self, keys: Sequence[Key]) -> None:
        references = References()
        for each in keys:
            references.want(ConnectorOrder, order_id(*each))
        found = (await self._engine.load(references)).documents if keys else {}
        for order in found.values():
            if isinstance(order, ConnectorOrder):
                self._orders[order.channel, order.account] = order

    async def _replay(self, connector: Controlled) -> None:
        order = self.order(connector.channel, connector.account)
        if order is None or order.replay_since is None or order.paused:
            return
        replay = self._replays.get(connector.channel)
        told = "this channel cannot be asked for the past"
        if replay is not None:
            try:
                told = await replay(connector.account, order.replay_since)
            except NotYet:
                return  # another process runs it, or nobody just now
            except HubbubError as error:
                told = str(error)
        done = order.model_copy(
            update={"replay_since": None, "replayed": told[:500], "revision": order.revision + 1}
        )
        with suppress(Conflict):  # another order came: look again
            await self._engine.commit(Step(documents=[(done, order.revision)]))
            self._orders[connector.channel, connector.account] = done

    async def _report(self, now: datetime) -> None:
        for each in self._connectors:
            key = (each.channel, each.account)
            report = _report(each, self._activity.last(*key), now)
            before = self._reports.get(key)
            if before is not None and _says_the_same(before, report):
                continue
            self._reports[key] = await self._told(report)

    async def _told(self, report: ConnectorReport) -> ConnectorReport:
        references = References()
        references.want(ConnectorReport, report.id)
        before = (await self._engine.load(references)).documents.get(report.id)
        revision = before.revision if before is not None else 0
        with suppress(Conflict):  # another process runs it as well
            await self._engine.commit(
                Step(documents=[(report.model_copy(update={"revision": revision + 1}), revision)])
            )
        return report


def _report(connector: Connector, last_item_at: datetime | None, now: datetime) -> ConnectorReport:
    health = connector.health()
    return ConnectorReport(
        id=report_id(connector.channel, connector.account),
        channel=connector.channel,
        account=connector.account,
        state=str(health.state),
        detail=health.detail[:500],
        last_success_at=health.last_success_at,
        last_item_at=last_item_at,
        oldest_unfetched_at=health.oldest_unfetched_at,
        next_retry_at=health.next_retry_at,
        reported_at=now,
    )


def _says_the_same(before: ConnectorReport, report: ConnectorReport) -> bool:
    is_recent = report.reported_at - before.reported_at < REPORT_AGAIN
    same = (
        before.model_copy(update={"reported_at": report.reported_at, "revision": report.revision}) == report
    )
    return same and is_recent

"""The connections of one listening address: how many there may be, of whom, and who gives way when there is no place left.

An address that already holds its share, and everybody when all places are taken, gets a place where one can be spared:
first that of the connection that has said nothing for longest (kept open after an answer, or its head not there yet), then
that of one whose body is still on its way, from an address that holds more. What the hub works on is never cut off.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Protocol

from connectors.kit.client_address import Network
from hub.observe import Metric, Metrics

LOOKED_AT = 20
"""So many are looked at for one that can be spared: a flood must not make each newcomer dear."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What a connection may cost."""

    head_seconds: float = 10
    head_bytes: int = 64 * 1024
    headers: int = 100
    target_bytes: int = 8 * 1024
    ahead_bytes: int = 64 * 1024
    """Sent behind a request before its answer, as much as a client may pipeline."""
    ahead_requests: int = 16
    write_seconds: float = 60
    """A client that takes less than its socket's buffer (48 KiB) in so long does not want its answer."""
    close_seconds: float = 10
    """How long an answer that was the last one, or the rest of a body that nobody wants, may take to go through."""
    connections: int = 1000
    connections_of_one: int = 250
    """From one address (IPv4), or one site (IPv6 /64)."""
    proxies: tuple[Network, ...] = ()
    """Of ours: who comes through them is not known yet, so they have no share and never give way."""
    look_seconds: float = 1
    """How often each connection is looked at for what it waits for."""


class Phase(StrEnum):
    """Who waits for whom."""

    SILENT = "silent"  # no request, or not the whole head of one
    SENDING = "sending"  # the head is there, the body is on its way
    SERVED = "served"  # the hub works, or its answer is on its way


class Connection(Protocol):
    """What holds a place. `site` is whose it is; empty for our own proxies and for this machine's socket."""

    site: str

    def look(self, now: float) -> None:
        """Ends what takes too long."""
        ...

    def give_way(self) -> None:
        """Ends at once; its place is taken by another."""
        ...


@dataclass(slots=True)
class _Site:
    count: int = 0
    silent: OrderedDict[Connection, None] = field(default_factory=OrderedDict)


class Connections:
    """A connection calls `enter`, then `moved` with each change of phase, then `leave`."""

    def __init__(self, listener: str, limits: ConnectionLimits, metrics: Metrics) -> None:
        self.limits = limits
        self._listener = listener
        self._metrics = metrics
        self._held: dict[Connection, Phase] = {}
        self._sites: dict[str, _Site] = {}
        self._silent: OrderedDict[Connection, None] = OrderedDict()
        self._sending: OrderedDict[Connection, None] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        return len(self._held)

    def of_one(self, site: str) -> int:
        """How many places this address holds."""
        found = self._sites.get(site)
        return found.count if found else 0

    def enter(self, connection: Connection) -> str:
        """Takes a place. Returns why there is none, or an empty text."""
        reason = self._refusal(connection.site)
        if reason:
            self.refused(reason)
            return reason
        self._held[connection] = Phase.SILENT
        self._metrics.add(Metric.CONNECTIONS, listener=self._listener)
        if connection.site:
            site = self._sites.setdefault(connection.site, _Site())
            site.count += 1
            self._silent[connection] = site.silent[connection] = None
        if self._timer is None:
            self._look_later()
        return ""

    def refused(self, reason: str) -> None:
        """Counts why somebody got no place, or lost it."""
        self._metrics.add(Metric.CONNECTIONS_REFUSED, listener=self._listener, reason=reason)

    def moved(self, connection: Connection, phase: Phase) -> None:
        """The connection is in this phase from now on. Unknown ones, which have left, stay unknown."""
        before = self._held.get(connection)
        if before is None or before == phase:
            return
        self._held[connection] = phase
        if not connection.site:
            return
        self._forget(connection)
        if phase == Phase.SILENT:
            self._silent[connection] = self._sites[connection.site].silent[connection] = None
        elif phase == Phase.SENDING:
            self._sending[connection] = None

    def leave(self, connection: Connection) -> None:
        """Gives the place back; more than once is the same as once."""
        if self._held.pop(connection, None) is None:
            return
        self._metrics.add(Metric.CONNECTIONS, -1, listener=self._listener)
        if not connection.site:
            return
        self._forget(connection)
        site = self._sites[connection.site]
        site.count -= 1
        if not site.count:
            del self._sites[connection.site]

    def _refusal(self, site: str) -> str:
        if site and self.of_one(site) >= self.limits.connections_of_one:
            spare = next(iter(self._sites[site].silent), None)
            if spare is None:
                return "share"
            self._send_away(spare)
        if len(self._held) >= self.limits.connections:
            spare = next(iter(self._silent), None) or self._greedy(self.of_one(site))
            if spare is None:
                return "full"
            self._send_away(spare)
        return ""

    def _greedy(self, count: int) -> Connection | None:
        for each in islice(self._sending, LOOKED_AT):
            if self.of_one(each.site) > count + 1:
                return each
        return None

    def _send_away(self, connection: Connection) -> None:
        self.leave(connection)
        self.refused("gave-way")
        connection.give_way()

    def _forget(self, connection: Connection) -> None:
        self._silent.pop(connection, None)
        self._sending.pop(connection, None)
        self._sites[connection.site].silent.pop(connection, None)

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.limits.look_seconds, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for each in list(self._held):
            each.look(now)
        self._timer = None
        if self._held:
            self._look_later()

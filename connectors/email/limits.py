"""What all SMTP connections share: how many there are, of whom, and how many bytes they hold."""

import ipaddress
from collections import Counter
from dataclasses import dataclass, field


def peer_host(peer: object) -> str:
    """The address of a socket's other end, as text."""
    return str(peer[0]) if isinstance(peer, tuple) and peer else str(peer)


def peer_group(peer: object) -> str:
    """Whom a connection counts for: its IPv4 address, its IPv6 /64 (one customer has all of it), else itself."""
    host = peer_host(peer)
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


@dataclass
class ConnectionLimits:
    """Counts connections in and out, and apart those that have not said a command yet: an honest client says one at once.

    `refusal` is why one more is not taken, or empty.
    """

    most: int
    most_per_group: int
    total: int = 0
    refused: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)

    def refusal(self, group: str) -> str:
        if self.total >= self.most:
            return "421 4.3.2 Too many connections, try again later"
        if self.groups[group] >= self.most_per_group:
            return "421 4.7.0 Too many connections from your address, try again later"
        return ""

    def greedier(self, group: str) -> str | None:
        """When all places are taken: whose connection must go so that each address has its share, or None.

        As long as some say nothing, they are whom it is about: one that has much to say is not greedy.
        """
        if not self.is_full_for(group):
            return None
        counts = self.silent or self.groups
        largest, count = max(counts.items(), key=lambda each: each[1])
        return largest if count > counts[group] + 1 else None

    def is_full_for(self, group: str) -> bool:
        """All places are taken, and it is not this address that has too many of them."""
        return self.total >= self.most and self.groups[group] < self.most_per_group

    def enter(self, group: str) -> None:
        self.total += 1
        self.groups[group] += 1
        self.silent[group] += 1

    def spoke(self, group: str) -> None:
        """A connection said its first command."""
        _decrease(self.silent, group)

    def leave(self, group: str, *, has_spoken: bool) -> None:
        self.total -= 1
        _decrease(self.groups, group)
        if not has_spoken:
            _decrease(self.silent, group)


def _decrease(counts: Counter[str], group: str) -> None:
    counts[group] -= 1
    if counts[group] <= 0:
        del counts[group]


@dataclass
class ByteBudget:
    """Bytes held by mails on their way in, over all connections; one address never holds more than its share."""

    most: int
    most_per_group: int
    used: int = 0
    highest: int = 0
    groups: Counter[str] = field(default_factory=Counter)

    def fits(self, group: str, more: int) -> bool:
        return self.used + more <= self.most and self.groups[group] + more <= self.most_per_group

    def take(self, group: str, more: int) -> None:
        self.used += more
        self.groups[group] += more
        self.highest = max(self.highest, self.used)

    def give_back(self, group: str, fewer: int) -> None:
        self.used -= fewer
        self.groups[group] -= fewer
        if self.groups[group] <= 0:
            del self.groups[group]

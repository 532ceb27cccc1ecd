"""Whose request it is, when proxies of ours stand in between."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HOPS_AT_MOST = 20
LONGEST_ADDRESS = 100  # with a zone, a port and brackets
IPV6_SITE_BITS = 64  # one customer of an access provider has at least a /64 (RFC 6177)


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: with a port, in brackets, or IPv4 inside IPv6."""
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)  # whoever comes, comes again
def _parsed(text: str) -> Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """The nearest address that is no proxy of ours.

    `peer` is the other end of the connection, `forwarded_for` every X-Forwarded-For header. The list is read from the right, as
    each proxy appends whom it saw; what stands left of the first foreign address could be written by anyone.
    """
    address = parse_address(peer)
    if address is None or not _is_in(address, trusted):
        return address
    hops = [hop for header in forwarded_for for hop in header.split(",")][-HOPS_AT_MOST:]
    for hop in reversed(hops):
        named = parse_address(hop)
        if named is None:
            return address
        address = named
        if not _is_in(address, trusted):
            return address
    return address


def rate_name(address: Address | None) -> str:
    """What limits count by: an IPv4 address, the /64 of an IPv6 one, or one name for all that have none."""
    if address is None:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), IPV6_SITE_BITS), strict=False))


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)

"""Requests to addresses that somebody gave us: they reach the public internet, never this machine or its neighbours.

The name is resolved once, every address is checked, and the connection goes to the checked address (so that a name that
changes between check and use, DNS rebinding, gains nothing). Redirects are not followed.
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable, Sequence

import anyio
import httpcore
import httpx

MOST_ANSWER_BYTES = 64 * 1024
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(httpcore.ConnectError):
    """The name leads to an address that may not be reached."""


def is_public(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether an address is of the public internet, or of a network that the operator allows."""
    if any(address in network for network in allowed if network.version == address.version):
        return True
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner, allowed)
    return address.is_global and not address.is_multicast


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to: mapped, by 6to4, or through a NAT64 gateway (RFC 6052)."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. TLS still verifies the name, which httpcore keeps apart from the address.

    `hosts` are names that an operator wrote into the settings himself; they may lead anywhere.
    """

    def __init__(self, allowed: Sequence[Network], hosts: Collection[str] = ()) -> None:
        self._allowed = allowed
        self._hosts = frozenset(each.lower().strip("[]") for each in hosts)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        error: Exception = Forbidden(f"{host} has no address")
        for address in await _resolve(host, port):
            if host.lower() not in self._hosts and not is_public(address, self._allowed):
                raise Forbidden(f"{host} leads to {address}, which is not on the public internet")
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as failed:
                error = failed
        raise error

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore's
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise Forbidden("sockets of this machine are not reached")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        answers = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
    return [ipaddress.ip_address(answer[4][0].split("%")[0]) for answer in answers]


def guarded_client(
    allowed: Sequence[Network] = (), timeout_seconds: float = 30.0, hosts: Collection[str] = ()
) -> httpx.AsyncClient:
    """An HTTP client for addresses that were given to us. No redirects, no proxy from the environment, no cookies kept.

    `allowed` networks and `hosts` that the settings name are reached though they are private.
    """
    transport = httpx.AsyncHTTPTransport(retries=0, trust_env=False)
    pool = transport._pool  # httpx has no other way to hand a network backend on
    assert isinstance(pool, httpcore.AsyncConnectionPool)
    pool._network_backend = GuardedBackend(allowed, hosts)
    return httpx.AsyncClient(
        transport=transport,
        timeout=timeout_seconds,
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": "hubbub"},
    )

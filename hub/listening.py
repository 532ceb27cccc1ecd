"""Where the hub listens: its sockets, and the HTTP servers on them, each with its connections."""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from connectors.kit.client_address import Network
from hub.channels import sections
from hub.descriptors import BACKLOG
from hub.http.connections import ConnectionLimits, Connections
from hub.http.protocol import patient, protocol_of
from hub.settings import HubSettings, ListenSettings
from schemas.errors import Invalid

KEEP_ALIVE_SECONDS = 30
WAITING = 4096
"""So many connections may wait in the system to be accepted; one more is lost, and its client tries again a second later."""
LISTENING = ("console", "intake", "files")
HEALTH = "health"
"""Where the API is not served."""
OPERATORS = ConnectionLimits(connections=100)
"""At the socket in the data folder, which only its owner can open."""


class Server(uvicorn.Server):
    """Uvicorn without its own signals: the hub stops its parts in order. Connections wait in the system until they are wanted."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(WAITING)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def limits_of(settings: HubSettings, name: str) -> ConnectionLimits:
    """How many connections this listening address takes."""
    if name not in {*LISTENING, HEALTH}:
        return OPERATORS
    listen: ListenSettings = getattr(settings, name)
    return ConnectionLimits(
        connections=listen.connections,
        connections_of_one=min(listen.connections_per_address, listen.connections),
        proxies=_proxies(settings, name),
    )


def _proxies(settings: HubSettings, name: str) -> tuple[Network, ...]:
    """Those of the address itself, and at the intake those that a channel names for its own visitors."""
    listen: ListenSettings = getattr(settings, name)
    own = tuple(ip_network(each, strict=False) for each in listen.trusted_proxies)
    if name != "intake":
        return own
    named = (getattr(section, "trusted_proxies", ()) for _, section in sections(settings))
    return (*own, *(proxy for proxies in named for proxy in proxies))


def server_of(app: ASGIApp, connections: Connections, grace_seconds: float) -> Server:
    """A server of this application, to be given its socket."""
    return Server(
        uvicorn.Config(
            app,
            http=protocol_of(connections),
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(grace_seconds) or 1,
            ws="none",
        )
    )


def bind(settings: HubSettings, names: Sequence[str] = LISTENING) -> dict[str, socket.socket]:
    """Name of the listening address -> its socket. Raises Invalid when one cannot be had; then none is kept."""
    bound: dict[str, socket.socket] = {}
    for name in names:
        listen: ListenSettings = getattr(settings, name)
        try:
            bound[name] = _tcp_socket(listen.host, listen.port)
        except OSError as error:
            for each in bound.values():
                each.close()
            reason = error.strerror or str(error)
            raise Invalid(
                f"{name}: cannot listen on {listen.host}:{listen.port}: {reason}",
                {f"{name}.port": "set another port, or stop what uses this one"},
            ) from error
    return bound


def _tcp_socket(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.set_inheritable(False)
        patient(listening)
    except OSError:
        listening.close()
        raise
    return listening


def unix_socket(path: Path) -> socket.socket:
    """A socket that only the owner of the data folder can open. Its path may be longer than the system allows: bind inside."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listening.bind(os.path.relpath(path) if len(str(path)) > 100 else str(path))
    finally:
        os.umask(mask)
    return listening


def url(listening: socket.socket, settings: ListenSettings) -> str:
    """The address as others reach it."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{port}"

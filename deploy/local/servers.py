"""The servers that can be started here, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deploy.local import ferretdb_server, kafka_server, mongo_standin_server, nx_server
from deploy.local.server import Running


class Open(Protocol):
    def __call__(self, folder: Path, port: int | None = None) -> Running: ...


@dataclass(frozen=True)
class LocalServer:
    """`fetch` downloads or builds what is missing; `open` starts it."""

    says: str
    is_here: Callable[[], bool]
    fetch: Callable[[], None]
    open: Open
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    """Programs that it needs from the system, and the Debian packages that have them."""


SERVERS: dict[str, LocalServer] = {
    kafka_server.NAME: LocalServer(
        f"Apache Kafka {kafka_server.VERSION}, one node",
        kafka_server.is_here,
        kafka_server.fetch,
        kafka_server.open_server,
        ("java", "mvn"),
        ("default-jre-headless", "maven"),
    ),
    ferretdb_server.NAME: LocalServer(
        f"FerretDB {ferretdb_server.VERSION} over SQLite: MongoDB's protocol, strict",
        ferretdb_server.is_here,
        ferretdb_server.fetch,
        ferretdb_server.open_server,
        ("go",),
        ("golang-go",),
    ),
    nx_server.NAME: LocalServer(
        f"nx-27017 {nx_server.VERSION}: MongoDB's protocol, from PyPI",
        nx_server.is_here,
        nx_server.fetch,
        nx_server.open_server,
        (),
        (),
    ),
    mongo_standin_server.NAME: LocalServer(
        "a stand-in of ours in Go, in memory, with ordered indexes; not MongoDB",
        mongo_standin_server.is_here,
        mongo_standin_server.fetch,
        mongo_standin_server.open_server,
        ("go",),
        ("golang-go",),
    ),
}

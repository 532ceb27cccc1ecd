"""A broker and a database of a test's own: killed as by a power cut, stopped for a while, started again on what they kept."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import kafka_server
from deploy.local.kafka_cluster import Cluster, cluster
from deploy.local.server import Running
from deploy.local.servers import SERVERS
from tests.support.ports import LOOPBACK, free_port
from tests.support.proxy import Proxy

BROKER, DATABASE = "kafka", "nx-27017"
"""The database is the one whose updates are atomic. FerretDB 1.24 reads, compares and writes apart (of 60 compare-and-sets by
two at once both won 57 times), so no promise of ours can hold on it while two processes write."""
PARTITIONS = 4


@dataclass
class Machines:
    """Each on a port that it keeps."""

    folder: Path
    running: dict[str, Running] = field(default_factory=dict)
    still: set[str] = field(default_factory=set)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    """What stands between the hub and a server, if anything does."""
    broker_told: int | None = None
    cluster: Cluster | None = None
    """Where three brokers stand for the one."""

    def start(self, name: str) -> Running:
        """For the first time, or again."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        port = self.running[name].port if name in self.running else None
        if name == BROKER:
            self.running[name] = kafka_server.open_server(folder, port, advertised=self.broker_told)
        else:
            self.running[name] = SERVERS[name].open(folder, port)
        return self.running[name]

    async def put_proxies_between(self) -> None:
        """Before anybody connects."""
        assert self.broker_told is not None
        for name, each in self.running.items():
            between = self.proxies[name] = Proxy(each.port)
            await between.start(self.broker_told if name == BROKER else 0)

    def port(self, name: str) -> int:
        return self.proxies[name].port if name in self.proxies else self.running[name].port

    def kill(self, name: str) -> None:
        self.running[name].kill()

    def stall(self, name: str) -> None:
        """It answers nobody, and keeps its connections."""
        os.kill(self.running[name].process.pid, signal.SIGSTOP)
        self.still.add(name)

    def go_on(self, name: str) -> None:
        os.kill(self.running[name].process.pid, signal.SIGCONT)
        self.still.discard(name)

    @property
    def settings(self) -> dict[str, str]:
        if self.cluster is not None:
            log = f"{self.cluster.url}?replication={len(self.cluster.ports)}&"
        else:
            log = f"kafka://{LOOPBACK}:{self.port(BROKER)}/?"
        return {
            "log": f"{log}partitions={PARTITIONS}",
            "store": f"mongodb://{LOOPBACK}:{self.port(DATABASE)}/faults",
        }


@contextmanager
def machines(folder: Path, behind_proxies: bool = False, brokers: int = 1) -> Iterator[Machines]:
    """A database, and one broker or a cluster of so many."""
    made = Machines(folder, broker_told=free_port() if behind_proxies else None)
    with ExitStack() as stack:
        try:
            if brokers > 1:
                made.cluster = stack.enter_context(cluster(folder / "cluster", brokers))
            else:
                made.start(BROKER)
            made.start(DATABASE)
            yield made
        finally:
            for name in [*made.still]:
                made.go_on(name)
            for each in made.running.values():
                each.kill()

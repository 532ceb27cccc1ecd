"""Several brokers of Apache Kafka on this machine, each a process of its own: any of them can end and begin again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka_server import CLUSTER, HEAP, NAME, fetch, is_here, libraries
from deploy.local.server import LOOPBACK, CannotStart, Running, free_port, program, run, start

FEWEST, MOST = 3, 7
PROPERTIES = """\
process.roles=broker,controller
node.id={node}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters={voters}
log.dirs={folder}
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
log.cleaner.dedupe.buffer.size=16777216
"""


@dataclass
class Cluster:
    """Brokers by their node ids, from 1. Topics of the hub are made with `replication=3`, so that two hold each event."""

    folder: Path
    ports: dict[int, int]
    controllers: dict[int, int]
    nodes: dict[int, Running]

    @property
    def url(self) -> str:
        servers = ",".join(f"{LOOPBACK}:{port}" for port in self.ports.values())
        return f"kafka://{servers}/"

    def kill(self, node: int) -> None:
        self.nodes[node].kill()

    def start(self, node: int) -> None:
        """Begins (again) on what its folder holds. Returns once it accepts connections, for which most of the others must run."""
        folder = self.folder / str(node)
        data = folder / "data"
        is_new = not data.exists()
        data.mkdir(parents=True, exist_ok=True)
        voters = ",".join(f"{each}@{LOOPBACK}:{port}" for each, port in self.controllers.items())
        properties = folder / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                node=node,
                host=LOOPBACK,
                port=self.ports[node],
                controller=self.controllers[node],
                voters=voters,
                folder=data,
            ),
            "utf-8",
        )
        java = program("java", "install Java 17 or newer, such as: apt-get install -y default-jre-headless")
        classes = str(libraries() / "*")
        if is_new:
            tool = [java, "-Xmx128m", "-cp", classes, "kafka.tools.StorageTool"]
            run([*tool, "format", "-t", CLUSTER, "-c", str(properties)], folder, f"formatting broker {node}")
        command = [java, *HEAP, "-cp", classes, "kafka.Kafka", str(properties)]
        port = self.ports[node]
        self.nodes[node] = start(f"{NAME}-{node}", command, folder, port, f"kafka://{LOOPBACK}:{port}/")

    def start_all(self) -> None:
        """At once: none accepts connections before most of them run."""
        with ThreadPoolExecutor(len(self.ports)) as starting:
            for each in [starting.submit(self.start, node) for node in self.ports]:
                each.result()

    def stop(self) -> None:
        for each in self.nodes.values():
            each.kill()


@contextmanager
def cluster(folder: Path, brokers: int = FEWEST) -> Iterator[Cluster]:
    """So many brokers, started; ended with the block. Raises CannotStart."""
    if not FEWEST <= brokers <= MOST:
        raise CannotStart(f"a cluster has {FEWEST} to {MOST} brokers")
    if not is_here():
        fetch()
    numbers = range(1, brokers + 1)
    ports = {number: free_port() for number in numbers}
    made = Cluster(folder, ports, {number: free_port() for number in numbers}, {})
    try:
        made.start_all()
        yield made
    finally:
        made.stop()

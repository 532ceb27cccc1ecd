"""Apache Kafka, one node without ZooKeeper (KRaft), from Maven's jars. Needs Java 17 or newer; Maven once, to download."""

from pathlib import Path

from deploy.local.kafka_security import properties as secured_properties
from deploy.local.kafka_security import scram_arguments
from deploy.local.secured import Secured
from deploy.local.server import HERE, LOOPBACK, CannotStart, Running, free_port, home, program, run, start

NAME = "kafka"
VERSION = "4.1.0"
CLUSTER = "aHViYnViLWxvY2FsLWtmaw"  # 16 bytes in base64, as StorageTool wants it
HEAP = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@{host}:{controller}
log.dirs={folder}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""


def libraries() -> Path:
    """Where its jars are."""
    return home() / f"{NAME}-{VERSION}"


def is_here() -> bool:
    return (libraries() / "complete").exists()


def fetch() -> None:
    """43 MB, once."""
    if is_here():
        return
    maven = program(
        "mvn", "install Maven and Java 17, such as: apt-get install -y default-jre-headless maven"
    )
    folder = libraries()
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        maven, "-B", "-f", str(HERE / "kafka" / "pom.xml"), "dependency:copy-dependencies",
        "-DincludeScope=runtime", f"-DoutputDirectory={folder}",
    ]  # fmt: skip
    run(command, folder, f"downloading Apache Kafka {VERSION} (43 MB)", counts="Downloaded from")
    (folder / "complete").touch()


def open_server(
    folder: Path, port: int | None = None, secured: Secured | None = None, advertised: int | None = None
) -> Running:
    """Starts it on what the folder holds; makes the folder when it is not there. `secured`: clients need TLS or a user.

    `advertised`: the port that it tells its clients, when a proxy stands between.
    """
    if not is_here():
        raise CannotStart(f"{NAME} is not here: python -m deploy.local fetch {NAME}")
    java = program("java", "install Java 17 or newer, such as: apt-get install -y default-jre-headless")
    data = folder / "data"
    fresh = not data.exists()
    data.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    properties = folder / "server.properties"
    controller = free_port()
    text = PROPERTIES.format(
        host=LOOPBACK, port=port, advertised=advertised or port, controller=controller, folder=data
    )
    if secured is not None:  # of a property that stands twice the last counts
        values = secured_properties(secured, LOOPBACK, port, free_port(), controller)
        text += "".join(f"{name}={value}\n" for name, value in values.items())
    properties.touch(mode=0o600)
    properties.write_text(text, "utf-8")
    classes = str(libraries() / "*")
    if fresh:
        run(
            [
                java,
                "-Xmx128m",
                "-cp",
                classes,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER,
                "-c",
                str(properties),
                *(scram_arguments(secured.users) if secured is not None else ()),
            ],
            folder,
            "formatting Kafka's folder",
        )
    command = [java, *HEAP, "-cp", classes, "kafka.Kafka", str(properties)]
    return start(NAME, command, folder, port, f"kafka://{LOOPBACK}:{port}/")

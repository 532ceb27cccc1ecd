"""Where the Kafka log is: `kafka://host:9092,other:9092/?prefix=hubbub.&partitions=12&replication=3`."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from schemas.errors import Invalid
from sinks.kafka.settings import KafkaSettings

MOST_PARTITIONS = 1000
PREFIX, PARTITIONS, REPLICATION = "hubbub.", 12, 1
PLAIN = KafkaSettings()
FORM = "write kafka://host:9092,other:9092/?prefix=hubbub.&partitions=12&replication=3"


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """`prefix` stands before each topic's name; `partitions` and `replication` count when topics are made.

    `access` says how to connect: TLS, user, password.
    """

    servers: tuple[str, ...]
    prefix: str = PREFIX
    partitions: int = PARTITIONS
    replication: int = REPLICATION
    access: KafkaSettings = PLAIN


def parse_address(url: str, access: KafkaSettings = PLAIN) -> KafkaAddress:
    """Raises Invalid, saying what to change."""
    if "@" in url:  # it may hold a password, so it is not told
        problem = (
            "a user and a password do not stand in the address of the log: set kafka.user and kafka.password; "
            + FORM
        )
        raise Invalid(problem, {"log": problem})
    try:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        servers = tuple(_server(each) for each in parts.netloc.split(","))
        address = KafkaAddress(
            servers,
            _prefix(given.pop("prefix", PREFIX)),
            _count(given.pop("partitions", str(PARTITIONS)), MOST_PARTITIONS),
            _count(given.pop("replication", str(REPLICATION)), 16),
            access,
        )
    except ValueError as error:
        raise Invalid(f"{url!r} is not the address of a Kafka log: {error}; {FORM}") from error
    if parts.scheme != "kafka" or parts.path not in {"", "/"} or given:
        what = f"unknown {', '.join(given)}" if given else "it starts with kafka:// and has no path"
        raise Invalid(f"{url!r} is not the address of a Kafka log: {what}; {FORM}")
    return address


def _server(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is not host:port")
    return text


def _prefix(text: str) -> str:
    """Names of topics may hold letters, digits, dot, dash and underscore (org.apache.kafka.common.internals.Topic)."""
    if len(text) > 100 or not all(each.isascii() and (each.isalnum() or each in "._-") for each in text):
        raise ValueError(f"the prefix {text!r} is not of letters, digits, dots and dashes")
    return text


def _count(text: str, most: int) -> int:
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise ValueError(f"{text!r} is not a number from 1 to {most}")
    return int(text)

"""What the hub says of itself: metrics, declared in one table, and structured logs.

No customer data in labels or log fields. Names follow https://prometheus.io/docs/practices/naming/
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metric(StrEnum):
    EVENTS = "hubbub_events_total"
    STAGE_SECONDS = "hubbub_stage_seconds"
    BATCH_EVENTS = "hubbub_batch_events"
    LAG = "hubbub_consumer_lag_events"
    STALLED_SECONDS = "hubbub_consumer_stalled_seconds"
    ACCEPTED = "hubbub_items_accepted_total"
    QUEUE_OPEN = "hubbub_queue_open_cases"
    QUEUE_UNASSIGNED = "hubbub_queue_unassigned_cases"
    QUEUE_OLDEST_SECONDS = "hubbub_queue_oldest_waiting_seconds"
    QUARANTINE_OPEN = "hubbub_quarantine_open_items"
    DEAD_LETTERS_OPEN = "hubbub_dead_letters_open"
    OUTBOUND = "hubbub_outbound_messages"
    PARKED = "hubbub_parked_events"
    SHARE_LAG = "hubbub_worker_lag_events"
    PARTITIONS = "hubbub_worker_partitions"
    PARKED_KEYS = "hubbub_worker_parked_keys"
    PARKED_MOST = "hubbub_worker_parked_key_events_most"
    CONNECTOR_UP = "hubbub_connector_up"
    CONNECTOR_SILENT_SECONDS = "hubbub_connector_silent_seconds"
    CONNECTOR_IDLE_SECONDS = "hubbub_connector_idle_seconds"
    CONNECTOR_UNFETCHED_SECONDS = "hubbub_connector_unfetched_seconds"
    CONNECTOR_RETRY_SECONDS = "hubbub_connector_retry_seconds"
    HTTP_REQUESTS = "hubbub_http_requests_total"
    HTTP_SECONDS = "hubbub_http_request_seconds"
    STREAMS = "hubbub_http_streams"
    STREAMS_CLOSED = "hubbub_http_streams_closed_total"
    CONNECTIONS = "hubbub_http_connections"
    CONNECTIONS_REFUSED = "hubbub_http_connections_refused_total"
    SIGN_INS = "hubbub_sign_ins_total"
    UPLOADS_FORGOTTEN = "hubbub_uploads_forgotten_total"
    CONFIGURATION = "hubbub_configuration_version"
    MEMBERS = "hubbub_members"
    LEASES = "hubbub_leases_held"
    SPOOL_ITEMS = "hubbub_spool_items"
    SPOOL_STUCK = "hubbub_spool_stuck_items"
    SPOOL_BYTES = "hubbub_spool_bytes"
    SPOOL_OLDEST_SECONDS = "hubbub_spool_oldest_seconds"


@dataclass(frozen=True, slots=True)
class Declared:
    """`kind` is counter, gauge or histogram."""

    kind: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


TABLE: dict[Metric, Declared] = {
    Metric.EVENTS: Declared("counter", "Events that a consumer went through, by what became of them", ("consumer", "topic", "outcome")),
    Metric.STAGE_SECONDS: Declared("histogram", "Time of one batch in a stage: read, decide (with what it looks up), commit", ("consumer", "stage")),
    Metric.BATCH_EVENTS: Declared("histogram", "Events in a batch", ("consumer",), (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
    Metric.LAG: Declared("gauge", "Events beyond the consumer's position", ("consumer",)),
    Metric.STALLED_SECONDS: Declared("gauge", "How long the consumer has had work and did not move", ("consumer",)),
    Metric.ACCEPTED: Declared("counter", "Items that are on the log: received, ignored, quarantined", ("channel", "account", "outcome")),
    Metric.QUEUE_OPEN: Declared("gauge", "Open cases of a queue", ("queue",)),
    Metric.QUEUE_UNASSIGNED: Declared("gauge", "Open cases of a queue that nobody has", ("queue",)),
    Metric.QUEUE_OLDEST_SECONDS: Declared("gauge", "Since when the customer waits who waits longest in a queue", ("queue",)),
    Metric.QUARANTINE_OPEN: Declared("gauge", "Items that could not be read and that nobody settled"),
    Metric.DEAD_LETTERS_OPEN: Declared("gauge", "Events that could not be processed and that nobody settled"),
    Metric.OUTBOUND: Declared("gauge", "Messages to be sent or settled, by state", ("state",)),
    Metric.PARKED: Declared("gauge", "Events that wait for a fact or a vendor"),
    Metric.SHARE_LAG: Declared("gauge", "Events beyond the consumer's position in the partitions that this worker holds", ("consumer",)),
    Metric.PARTITIONS: Declared("gauge", "Partitions that this worker holds", ("consumer",)),
    Metric.PARKED_KEYS: Declared("gauge", "Keys that wait for a fact or a vendor, in the partitions that this worker holds", ("consumer",)),
    Metric.PARKED_MOST: Declared("gauge", "Events that wait for the one of those keys that has the most", ("consumer",)),
    Metric.CONNECTOR_UP: Declared("gauge", "1: the connector accepts; 0: it does not", ("connector",)),
    Metric.CONNECTOR_SILENT_SECONDS: Declared("gauge", "For how long nothing came through a connector that looks well; 0 within `silent_after_hours`", ("connector",)),
    Metric.CONNECTOR_IDLE_SECONDS: Declared("gauge", "Since the last item of a connector came in", ("connector",)),
    Metric.CONNECTOR_UNFETCHED_SECONDS: Declared("gauge", "How long the oldest item waits that the source has and was not fetched", ("connector",)),
    Metric.CONNECTOR_RETRY_SECONDS: Declared("gauge", "Until a connector that has trouble tries again", ("connector",)),
    Metric.HTTP_REQUESTS: Declared("counter", "Requests by route template and status", ("method", "route", "status")),
    Metric.HTTP_SECONDS: Declared("histogram", "Time of a request, streams apart", ("method", "route")),
    Metric.STREAMS: Declared("gauge", "Event streams that are open", ("stream",)),
    Metric.STREAMS_CLOSED: Declared("counter", "Event streams that ended, and why", ("stream", "reason")),
    Metric.CONNECTIONS: Declared("gauge", "Connections that are open: console, intake, files, operator", ("listener",)),
    Metric.CONNECTIONS_REFUSED: Declared("counter", "Connections that got no place, lost it, or could not be served, and why", ("listener", "reason")),
    Metric.SIGN_INS: Declared("counter", "Sign-ins: succeeded, refused, throttled", ("outcome",)),
    Metric.UPLOADS_FORGOTTEN: Declared("counter", "Files that agents uploaded and whose staged copy was removed nine days later"),
    Metric.CONFIGURATION: Declared("gauge", "The version of the configuration in force"),
    Metric.MEMBERS: Declared("gauge", "Processes of the hub that live, as this one sees them"),
    Metric.LEASES: Declared("gauge", "1: this process holds the lease, such as that of a mailbox; over all processes the sum is 1", ("lease",)),
    Metric.SPOOL_ITEMS: Declared("gauge", "Items that wait on the disk until Kafka and MongoDB take them"),
    Metric.SPOOL_STUCK: Declared("gauge", "Of those the items that cannot be handed on as they are"),
    Metric.SPOOL_BYTES: Declared("gauge", "What the items that wait on the disk take"),
    Metric.SPOOL_OLDEST_SECONDS: Declared("gauge", "Since when the oldest item waits on the disk"),
}  # fmt: skip

KINDS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Metrics:
    """A registry of its own. Labels must be those that the table declares."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._held: dict[Metric, Any] = {}
        for name, declared in TABLE.items():
            more = {"buckets": declared.buckets} if declared.kind == "histogram" else {}
            self._held[name] = KINDS[declared.kind](
                str(name), declared.meaning, declared.labels, registry=self.registry, **more
            )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def add(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """A counter or gauge goes up (a gauge also down, by a negative amount)."""
        self._at(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        self._at(metric, labels).set(value)

    def set_all(self, metric: Metric, values: Mapping[str, float]) -> None:
        """A gauge with one label has these values and no others: what is gone is forgotten."""
        self._held[metric].clear()
        for label, value in values.items():
            self._held[metric].labels(label).set(value)

    def forget(self, metric: Metric) -> None:
        """A gauge with labels has no values any more."""
        self._held[metric].clear()

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        self._at(metric, labels).observe(value)

    def text(self) -> bytes:
        """The exposition format that Prometheus reads."""
        return generate_latest(self.registry)

    def value(self, metric: Metric, **labels: str) -> float | None:
        """The value of a counter or gauge; None when it was never set."""
        name = str(metric)
        return self.registry.get_sample_value(name, labels)

    def _at(self, metric: Metric, labels: Mapping[str, str]) -> Any:
        held = self._held[metric]
        return held.labels(**labels) if labels else held


# -- logs ---------------------------------------------------------------------------------------------------------------

SECRET_FIELDS = re.compile(
    r"pass(word|wd)?|secret|token|authorization|cookie|api_?key|credential|csrf|signature", re.I
)
SECRET_TEXTS = re.compile(
    r"hk_[a-z2-7]+_[\w-]{8,}|whsec_[\w+/=-]{8,}|(?i:bearer|basic)\s+[\w.~+/=-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
REDACTED = "***"


def redact(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: secrets are never written, neither in fields named for them nor inside texts."""
    for name, value in fields.items():
        fields[name] = REDACTED if SECRET_FIELDS.search(name) else _without_secrets(value)
    return fields


def _without_secrets(value: object) -> object:
    if isinstance(value, str):
        return SECRET_TEXTS.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {
            name: REDACTED if SECRET_FIELDS.search(str(name)) else _without_secrets(held)
            for name, held in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value


def configure_logging(style: str = "console", level: str = "INFO", stream: TextIO | None = None) -> None:
    """Structured lines on stderr: `console` to read, `json` to collect. Libraries that log the old way come out the same.

    The id of the event in hand is a field of every line: `with structlog.contextvars.bound_contextvars(event_id=…)`.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    is_json = style == "json"
    renderer: Any = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # as text, so that redaction sees it
                redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "mail.log"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # each tells that it comes and goes
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # metrics count requests; faults are logged
    logging.getLogger("httpx").setLevel(logging.WARNING)  # writes whole URLs

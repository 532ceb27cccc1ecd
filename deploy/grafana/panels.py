"""What the dashboard shows. Every name stands in docs/reference/metrics.md; a test holds it."""

from dataclasses import dataclass

RATE = "$__rate_interval"


@dataclass(frozen=True)
class Series:
    """One query and how its lines are called."""

    query: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """`unit` is one of Grafana's; a panel that is `one` shows a number, red from `red_from` on."""

    title: str
    series: tuple[Series, ...]
    unit: str = "short"
    says: str = ""
    one: bool = False
    red_from: float | None = None


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


def number(title: str, query: str, red_from: float | None, says: str, unit: str = "short") -> Panel:
    return Panel(title, (Series(query),), unit, says, one=True, red_from=red_from)


def lines(title: str, unit: str, says: str, *series: tuple[str, str]) -> Panel:
    return Panel(title, tuple(Series(*each) for each in series), unit, says)


def _share(metric: str, share: float, labels: str) -> str:
    by = f"sum by (le, {labels})" if labels else "sum by (le)"
    return f"histogram_quantile({share}, {by} (rate({metric}_bucket[{RATE}])))"


ROWS = (
    Row(
        "Is all well",
        (
            number("Down", 'sum(1 - up{job="hubbub"})', 1, "processes that do not answer"),
            number(
                "Stalled", "max(hubbub_consumer_stalled_seconds)", 120, "longest time without progress", "s"
            ),
            number("Dead letters", "max(hubbub_dead_letters_open)", 1, "events that nobody settled"),
            number("Quarantine", "max(hubbub_quarantine_open_items)", 1, "items that could not be read"),
            number("Unknown", 'max(hubbub_outbound_messages{state="unknown"})', 1, "may have been sent"),
            number("Connectors down", "count(hubbub_connector_up == 0) or vector(0)", 1, "take nothing in"),
        ),
    ),
    Row(
        "In",
        (
            lines(
                "Items taken in", "cps", "per second, by channel and what became of them",
                (f"sum by (channel, outcome) (rate(hubbub_items_accepted_total[{RATE}]))", "{{channel}} {{outcome}}"),
            ),
            lines(
                "Connectors",
                "bool_on_off",
                "1: the connector accepts",
                ("min by (connector) (hubbub_connector_up)", "{{connector}}"),
            ),
            lines(
                "Not fetched yet",
                "s",
                "how long the oldest item waits that the source has",
                ("max by (connector) (hubbub_connector_unfetched_seconds)", "{{connector}}"),
                ("max by (connector) (hubbub_connector_retry_seconds)", "{{connector}}: tries again in"),
            ),
            lines(
                "Since the last item",
                "s",
                "and for how long a connector that looks well has been silent",
                ("min by (connector) (hubbub_connector_idle_seconds)", "{{connector}}"),
                ("min by (connector) (hubbub_connector_silent_seconds) > 0", "{{connector}}: silent"),
            ),
        ),
    ),
    Row(
        "Processors",
        (
            lines(
                "Events", "cps", "per second, by consumer and outcome",
                (f"sum by (consumer, outcome) (rate(hubbub_events_total[{RATE}]))", "{{consumer}} {{outcome}}"),
            ),
            lines(
                "Lag", "short", "events beyond the position of the consumer",
                ("max by (consumer) (hubbub_consumer_lag_events)", "{{consumer}}"),
                ("max(hubbub_parked_events)", "parked"),
            ),
            lines(
                "Standing still", "s", "how long a consumer has had work and did not move",
                ("max by (consumer) (hubbub_consumer_stalled_seconds)", "{{consumer}}"),
            ),
            lines(
                "Time of a batch", "s", "95 of 100 are quicker",
                (_share("hubbub_stage_seconds", 0.95, "consumer, stage"), "{{consumer}} {{stage}}"),
            ),
            lines(
                "Events in a batch", "short", "mean",
                (
                    f"sum by (consumer) (rate(hubbub_batch_events_sum[{RATE}]))"
                    f" / sum by (consumer) (rate(hubbub_batch_events_count[{RATE}]))",
                    "{{consumer}}",
                ),
            ),
        ),
    ),
    Row(
        "Workers on Kafka",
        (
            lines(
                "Partitions", "short", "that each worker holds",
                ("sum by (instance) (hubbub_worker_partitions)", "{{instance}}"),
            ),
            lines(
                "Lag of a worker", "short", "events beyond the positions in its partitions",
                ("sum by (instance) (hubbub_worker_lag_events)", "{{instance}}"),
            ),
            lines(
                "Keys that wait", "short", "for a fact or a vendor; events of the key that has the most",
                ("sum by (consumer) (hubbub_worker_parked_keys)", "{{consumer}}: keys"),
                ("max by (consumer) (hubbub_worker_parked_key_events_most)", "{{consumer}}: events of one"),
            ),
            lines(
                "Spool", "short", "items that wait on the disk of a process that takes in",
                ("sum by (instance) (hubbub_spool_items)", "{{instance}}"),
                ("sum by (instance) (hubbub_spool_stuck_items)", "{{instance}}: stuck"),
            ),
            lines("Spool, bytes", "bytes", "on the disk", ("hubbub_spool_bytes", "{{instance}}")),
            lines("Spool, oldest", "s", "how long the oldest item waits", ("hubbub_spool_oldest_seconds", "{{instance}}")),
        ),
    ),
    Row(
        "Queues",
        (
            lines("Open", "short", "cases", ("max by (queue) (hubbub_queue_open_cases)", "{{queue}}")),
            lines(
                "Unassigned", "short", "cases that nobody has",
                ("max by (queue) (hubbub_queue_unassigned_cases)", "{{queue}}"),
            ),
            lines(
                "Longest wait", "s", "of the customer who waits longest",
                ("max by (queue) (hubbub_queue_oldest_waiting_seconds)", "{{queue}}"),
            ),
        ),
    ),
    Row(
        "Out",
        (
            lines(
                "Messages to be sent or settled", "short", "by state",
                ("max by (state) (hubbub_outbound_messages)", "{{state}}"),
            ),
            lines(
                "Told of messages", "cps", "what became of messages, as the cases heard of it, per second",
                (
                    'sum(rate(hubbub_events_total{consumer="cases", topic="deliveries", outcome="applied"}'
                    f"[{RATE}]))",
                    "deliveries",
                ),
            ),
        ),
    ),
    Row(
        "Requests",
        (
            lines(
                "Requests", "reqps", "by status",
                (f"sum by (status) (rate(hubbub_http_requests_total[{RATE}]))", "{{status}}"),
            ),
            lines(
                "Time", "s", "half, and 99 of 100, are quicker",
                (_share("hubbub_http_request_seconds", 0.5, ""), "half"),
                (_share("hubbub_http_request_seconds", 0.99, ""), "99 of 100"),
            ),
            lines(
                "Live streams", "short", "open now",
                ("sum by (stream) (hubbub_http_streams)", "{{stream}}"),
                (f"sum by (reason) (rate(hubbub_http_streams_closed_total[{RATE}]))", "closed: {{reason}}"),
            ),
            lines(
                "Connections", "short", "open now, and refused per second",
                ("sum by (listener) (hubbub_http_connections)", "{{listener}}"),
                (
                    f"sum by (listener, reason) (rate(hubbub_http_connections_refused_total[{RATE}]))",
                    "refused: {{listener}} {{reason}}",
                ),
            ),
            lines(
                "Sign-ins", "cps", "per second",
                (f"sum by (outcome) (rate(hubbub_sign_ins_total[{RATE}]))", "{{outcome}}"),
            ),
        ),
    ),
    Row(
        "Processes",
        (
            lines(
                "Processor time", "percentunit", "of one core",
                (f'rate(process_cpu_seconds_total{{job="hubbub"}}[{RATE}])', "{{instance}}"),
            ),
            lines("Memory", "bytes", "resident", ('process_resident_memory_bytes{job="hubbub"}', "{{instance}}")),
            lines(
                "Open files", "percentunit", "of those that may be open",
                ('process_open_fds{job="hubbub"} / process_max_fds{job="hubbub"}', "{{instance}}"),
            ),
            lines(
                "Configuration", "short", "version in force",
                ("hubbub_configuration_version", "{{instance}}"),
            ),
            lines("Processes", "short", "that live, as each sees them", ("hubbub_members", "{{instance}}")),
            lines(
                "Who holds what", "short", "mailboxes, timers, housekeeping: one process each",
                ("hubbub_leases_held == 1", "{{lease}} {{instance}}"),
            ),
            lines(
                "Uploads forgotten", "short", "staged copies of files, nine days after they were uploaded, by the day",
                ("sum(increase(hubbub_uploads_forgotten_total[1d]))", "files"),
            ),
        ),
    ),
)  # fmt: skip

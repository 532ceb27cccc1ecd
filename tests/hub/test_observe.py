"""Metrics of one table, and logs without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.observe import TABLE, Metric, Metrics, configure_logging

SECRETS = {
    "password": "hunter2hunter2",
    "api_key": "abc123abc",
    "Authorization": "Bearer abcdefgh123",
    "session_token": "tok-1",
}
TEXTS = [
    "key hk_abcdefgh_0123456789abcdef was used",
    "got Authorization: Bearer abcdefghijkl",
    "connecting to smtp://user:pa55word@relay.example:587",
    "signed with whsec_C2FVsBQIhrscChlQIMV",
]


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_every_metric_is_declared_with_what_it_means() -> None:
    assert set(TABLE) == set(Metric)
    for name, declared in TABLE.items():
        assert declared.meaning
        assert name.startswith("hubbub_")
        assert name.endswith("_total") == (declared.kind == "counter")


def test_metrics_take_the_labels_of_the_table_and_no_others() -> None:
    metrics = Metrics()
    metrics.add(Metric.EVENTS, 3, consumer="cases", topic="cases", outcome="applied")
    with pytest.raises(ValueError, match="abel"):
        metrics.add(Metric.EVENTS, consumer="cases", topic="cases", customer="ann@example.net")
    assert metrics.value(Metric.EVENTS, consumer="cases", topic="cases", outcome="applied") == 3


def test_a_gauge_forgets_what_is_gone() -> None:
    metrics = Metrics()
    metrics.set_all(Metric.QUEUE_OPEN, {"orders": 1, "billing": 2})
    metrics.set_all(Metric.QUEUE_OPEN, {"orders": 3})
    assert metrics.value(Metric.QUEUE_OPEN, queue="orders") == 3
    assert metrics.value(Metric.QUEUE_OPEN, queue="billing") is None


def test_two_registries_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.set(Metric.PARKED, 5)
    assert other.value(Metric.PARKED) == 0


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.usefixtures("restored")
def test_no_secret_is_logged(style: str) -> None:
    stream = io.StringIO()
    configure_logging(style, stream=stream)
    logger = structlog.get_logger("tests")
    logger.info("fields", **SECRETS, nested={"list": [{"secret": "deep secret"}], "text": TEXTS[0]})
    for text in TEXTS:
        logger.warning(text)
        logging.getLogger("old.library").warning("it said %s", text)
    try:
        raise ValueError(TEXTS[0])
    except ValueError as error:
        logger.error("failed", exc_info=error)
    written = stream.getvalue()
    secrets = [
        *SECRETS.values(),
        "deep secret",
        "0123456789abcdef",
        "abcdefghijkl",
        "pa55word",
        "C2FVsBQIhrscChlQIMV",
    ]
    assert [each for each in secrets if each in written] == []
    assert "Traceback" in written
    assert "relay.example:587" in written


@pytest.mark.usefixtures("restored")
def test_each_line_names_the_event_in_hand() -> None:
    stream = io.StringIO()
    configure_logging("json", stream=stream)
    with structlog.contextvars.bound_contextvars(event_id="6f2c1f0e"):
        structlog.get_logger("tests").info("decided")
        logging.getLogger("old.library").warning("old")
    lines = [json.loads(each) for each in stream.getvalue().splitlines()]
    assert [each["event_id"] for each in lines] == ["6f2c1f0e", "6f2c1f0e"]
    assert lines[0].keys() >= {"event", "level", "logger", "timestamp"}

"""Events as Kafka records: CloudEvents in binary mode, as others read it."""

from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from schemas.events import Event
from sinks.kafka.codec import DIGEST, Headers, from_record, is_sealed, recorded_micros, to_message
from tests.contracts.samples import name, noted, received

STAMP = 1_772_452_800_123_457
FULL = replace(
    noted(name("case"), 4), causation=name("cause"), configuration=7, late=True, chain=("a, b", "ß")
)


@pytest.mark.parametrize("event", [received(1), FULL])
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    message = to_message(event, STAMP)
    decoded = from_record("cases:0:1", message.key, message.value, message.headers)
    assert decoded.event == event
    assert (decoded.id, decoded.type, decoded.key, decoded.problem) == (event.id, event.type, event.key, "")
    assert recorded_micros(message.headers) == STAMP


def test_another_implementation_reads_the_same_attributes() -> None:
    message = to_message(FULL, STAMP)
    headers = {key: value for key, value in message.headers if key != DIGEST}
    read = from_binary(KafkaMessage(headers=headers, key=message.key, value=message.value), JSONFormat())
    attributes = read.get_attributes()
    assert attributes["id"] == str(FULL.id)
    assert attributes["type"] == "hubbub.case.noted"
    assert attributes["time"] == FULL.time
    assert attributes["partitionkey"] == FULL.key == message.key.decode()
    assert attributes["sequence"] == "4"
    assert attributes["datacontenttype"] == "application/json"
    told = read.get_data()
    assert isinstance(told, dict)
    assert told["text"] == "called back"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"ce_type": b"hubbub.unheard.of"}, "not known"),
        ({"ce_id": b"7"}, "cannot be read"),
        ({"ce_time": b"noon"}, "cannot be read"),
        ({"ce_time": b"2026-03-02T12:00:00"}, "has no zone"),
        ({"ce_chain": b"{"}, "cannot be read"),
        ({"ce_source": b"\xff"}, "cannot be read"),
        ({"ce_id": b"00000000-0000-0000-0000-00000000000g"}, "cannot be read"),
        ({"ce_correlationid": None}, "'correlationid' is missing"),
    ],
)
def test_what_cannot_be_read_is_told_and_has_an_id_all_the_same(
    changed: dict[str, bytes | None], problem: str
) -> None:
    message = to_message(FULL, STAMP)
    kept = {**dict(message.headers), **changed}
    headers: Headers = [(key, value) for key, value in kept.items() if value is not None]
    decoded = from_record("cases:0:1", message.key, message.value, headers)
    assert decoded.event is None
    assert problem in decoded.problem
    assert decoded == from_record("cases:0:1", message.key, message.value, headers)


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_correlationid"])
def test_a_header_without_a_value_cannot_be_read(name: str) -> None:
    message = to_message(FULL, STAMP)
    said: Any = {**dict(message.headers), name: None}
    decoded = from_record("cases:0:1", message.key, message.value, list(said.items()))
    assert decoded.event is None
    assert "cannot be read" in decoded.problem


@pytest.mark.parametrize("spelt", ["{0}", "{{{0}}}", "urn:uuid:{0}"])
def test_an_id_is_read_however_it_is_spelt(spelt: str) -> None:
    message = to_message(FULL, STAMP)
    headers = {**dict(message.headers), "ce_id": spelt.format(str(FULL.id).upper()).encode()}
    assert from_record("cases:0:1", message.key, message.value, list(headers.items())).id == FULL.id


@pytest.mark.parametrize(("key", "value"), [(None, None), (b"\xff", b""), (b"k", b"not json")])
def test_records_of_strangers_are_told_too(key: bytes | None, value: bytes | None) -> None:
    assert "missing" in from_record("cases:0:1", key, value, []).problem


def test_a_seal_covers_key_value_and_attributes() -> None:
    message = to_message(FULL, STAMP)
    assert is_sealed(message.key, message.value, message.headers)
    assert not is_sealed(b"other", message.value, message.headers)
    assert not is_sealed(message.key, message.value + b" ", message.headers)
    assert not is_sealed(message.key, message.value, [*message.headers, ("ce_more", b"x")])
    without = [each for each in message.headers if each[0] != "ce_late"]
    assert not is_sealed(message.key, message.value, without)
    assert is_sealed(b"k", b"v", [("ce_id", b"1")]), "another producer's record"

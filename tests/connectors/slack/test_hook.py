"""Events by HTTP: proven, kept, then acknowledged; nothing is lost and nothing counts twice."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.hooks import HookAnswer, HookRequest, serve
from connectors.slack.connector import SlackConnector
from connectors.slack.signature import SIGNATURE, TIMESTAMP, sign
from connectors.slack.standin.server import SIGNING_SECRET, SlackStandin
from schemas.errors import Outage
from schemas.steps import Step
from tests.connectors.slack.listening import texts
from tests.connectors.slack.support import (
    ANN,
    CHANNEL,
    Place,
    account,
    place,
    standin,
)


def request(body: bytes, secret: str = SIGNING_SECRET, **headers: str) -> HookRequest:
    now = datetime.now(UTC)
    signed = {
        "content-type": "application/json",
        TIMESTAMP: str(int(now.timestamp())),
        SIGNATURE: sign(secret, int(now.timestamp()), body),
        **headers,
    }
    return HookRequest("POST", signed, body, now)


@asynccontextmanager
async def answering(folder: Path, **more: Any) -> AsyncIterator[tuple[SlackConnector, SlackStandin, Place]]:
    async with standin() as slack, place(folder) as there:
        connector = SlackConnector(account(slack.api_url, **more), there.around)
        yield connector, slack, there
        await connector.stop(0)
        await connector.close()


async def asked(connector: SlackConnector, asking: HookRequest) -> HookAnswer:
    assert connector.hook is not None
    return await serve(connector.hook, asking)


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE: "v0=00"},
        {SIGNATURE: ""},
        {SIGNATURE: "v0=ü"},
        {TIMESTAMP: "soon"},
        {TIMESTAMP: "٣"},
        {TIMESTAMP: "1"},
        {TIMESTAMP: "9" * 400},
    ],
)
async def test_what_is_not_signed_is_refused_and_not_parsed(tmp_path: Path, headers: dict[str, str]) -> None:
    async with answering(tmp_path) as (connector, _, there):
        answer = await asked(connector, request(b"\xff not even text", **headers))
        assert answer.status == 401 and answer.headers["x-slack-no-retry"] == "1"
        assert await there.interactions() == [] and await there.quarantined() == 0


async def test_two_signing_secrets_are_good_while_one_is_changed(tmp_path: Path) -> None:
    async with answering(tmp_path, signing_secrets=["old-secret", "new-secret"]) as (connector, _, _):
        body = b'{"type":"url_verification","challenge":"abc"}'
        for secret in ("old-secret", "new-secret"):
            answer = await asked(connector, request(body, secret))
            assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "abc"})
        assert (await asked(connector, request(body, "other-secret"))).status == 401


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"[]", b'{"event": 1}', b'{"type":"event_callback","event":{"type":"message"}}']
)
async def test_what_is_signed_and_cannot_be_read_is_kept_and_slack_does_not_come_again(
    tmp_path: Path, body: bytes
) -> None:
    async with answering(tmp_path) as (connector, _, there):
        assert (await asked(connector, request(body))).status == 200
        assert await there.quarantined() == 1


async def test_while_the_log_does_not_answer_slack_is_asked_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with answering(tmp_path) as (connector, slack, there):
        body = json.dumps(
            slack.envelope(
                {"type": "message", "channel": CHANNEL, "user": ANN, "text": "Hi", "ts": "1772445600.000100"}
            )
        ).encode()

        async def down(step: Step) -> None:
            raise Outage("the disk is full", 7)

        with monkeypatch.context() as patch:
            patch.setattr(there.engine, "commit", down)
            answer = await asked(connector, request(body))
        assert (answer.status, answer.headers["retry-after"]) == (503, "7")
        assert (await asked(connector, request(body, **{"x-slack-retry-num": "1"}))).status == 200
        assert await texts(there) == ["Hi"]


async def test_buttons_and_commands_are_told_that_they_arrived(tmp_path: Path) -> None:
    async with answering(tmp_path) as (connector, _, there):
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await asked(connector, request(b"payload=%7B%7D", **form))).status == 200
        assert (await asked(connector, request(b"ssl_check=1", **form))).status == 200
        assert await there.interactions() == []


async def test_the_tries_that_slack_makes_count_once(tmp_path: Path) -> None:
    async with answering(tmp_path) as (connector, slack, there):
        event = {"type": "message", "channel": CHANNEL, "user": ANN, "text": "Hi", "ts": "1772445600.000100"}
        for _ in range(3):
            body = json.dumps(slack.envelope(event)).encode()
            assert (await asked(connector, request(body))).status == 200
        ids = {each.part.item for each in await there.interactions()}
        assert len(ids) == 1, "the consumer knows the second as a duplicate by its id"

"""Errors are problem details, bodies are bounded, and headers are on every answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from hub.http.context import Limits
from hub.http.protection import Bounded
from hub.http.requests import _check_depth
from schemas.errors import Outage
from tests.hub.http.company import House, house


async def test_what_is_not_there_and_what_is_not_done_there_are_problems(home: House) -> None:
    async with home.client() as client:
        missing = await client.get("/api/v1/nowhere")
        method = await client.patch("/api/v1/cases")
        outside = await client.get("/../../etc/passwd")
    for answer, status, kind in (
        (missing, 404, "unknown"),
        (method, 405, "method-not-allowed"),
        (outside, 404, "unknown"),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert body["status"] == status
        assert body["type"].endswith(f"/{kind}")
        assert body["request"] == answer.headers["x-request-id"]


async def test_every_wrong_field_is_named_and_no_input_is_given_back(home: House) -> None:
    async with home.client() as client:
        answer = await client.post("/api/v1/session", json={"name": 7, "secret": "hunter2"})
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {
        "body.name",
        "body.password",
        "body.secret",
    }
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "body", [b"{", b"[1,", b'{"name": "\\ud800", "password": "x"}', b"\xff\xfe", b"null", b"NaN"]
)
async def test_broken_json_is_refused(home: House, body: bytes) -> None:
    async with home.client() as client:
        answer = await client.post(
            "/api/v1/session", content=body, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code in (400, 401, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_json_that_nests_too_deep_is_refused_before_it_is_read(home: House) -> None:
    async with home.client() as client:
        answer = await client.post(
            "/api/v1/session", content=b"[" * 5000, headers={"Content-Type": "application/json"}
        )
    assert answer.status_code == 400
    assert "nests" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [b'{"a": "[[[[[[[["}', b'"\\"[[[[[[\\""', b'["\\\\", {"b": []}]', b'"[[[[[[[', b'"[[[[[[\\'],
)
def test_brackets_in_texts_are_no_nesting(body: bytes) -> None:
    _check_depth(body, 3)


def test_nesting_is_counted_in_linear_time() -> None:
    _check_depth(b'"' + b'\\"' * 1_000_000, 3)
    _check_depth(b'"' + b"\\" * 1_000_001, 3)
    with pytest.raises(HTTPException):
        _check_depth(b'{"a":[{"b":[', 3)


async def test_a_body_that_is_too_large_is_refused_by_its_length_or_by_its_bytes(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    async with house(tmp_path / "data", Limits(body_bytes=5000)) as home, home.client() as client:
        declared = await client.post("/api/v1/session", content=b"x" * 6000)
        chunked = await client.post("/api/v1/session", content=endless())
    assert declared.status_code == chunked.status_code == 413
    assert chunked.headers["content-type"] == "application/problem+json"


async def test_a_stranger_may_not_send_much(home: House) -> None:
    async with home.client() as client:
        answer = await client.post("/api/v1/session", json={"name": "x", "password": "y" * 20_000})
    assert answer.status_code == 401


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    never = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    async with house(tmp_path / "data", Limits(body_seconds=0.05)) as home, home.client() as client:
        answer = await client.post("/api/v1/session", content=stalled())
    assert answer.status_code == 408


async def test_an_answer_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    never = asyncio.Event()
    async with house(tmp_path / "data", Limits(answer_seconds=0.05, body_seconds=0.01)) as home:
        home.app.add_api_route("/slow", never.wait)
        async with home.client() as client:
            answer = await client.get("/slow")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


async def test_an_outage_says_when_to_come_back(home: House) -> None:
    async with home.signed_in("ines") as client:
        home.breakable.outage = Outage("the disk is full", retry_after_seconds=7)
        answer = await client.get("/api/v1/cases")
        signing_in = await client.post("/api/v1/session", json={"name": "ines", "password": "x"})
    home.breakable.outage = None
    assert (answer.status_code, signing_in.status_code) == (503, 503)
    assert answer.headers["retry-after"] == "7"


async def test_a_fault_shows_no_trace(home: House) -> None:
    def broken() -> None:
        raise RuntimeError("the secret of the fault")

    home.app.add_api_route("/broken", broken)
    async with home.client() as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"]


async def test_every_answer_has_the_security_headers_and_no_origin_is_allowed(home: House) -> None:
    async with home.client() as client:
        answers = [
            await client.get(path, headers={"Origin": "https://evil.test"})
            for path in ("/api/v1/cases", "/health/live", "/metrics", "/nowhere", "/api/v1/openapi.json")
        ]
        preflight = await client.options(
            "/api/v1/cases", headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
        )
    for answer in [*answers, preflight]:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers


async def test_answers_of_the_api_are_kept_nowhere(home: House) -> None:
    async with home.signed_in("ines") as client:
        answer = await client.get("/api/v1/cases")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_request_id_is_taken_over_where_it_can_stand_in_a_log(home: House) -> None:
    async with home.client() as client:
        given = await client.get("/health/live", headers={"X-Request-Id": "abc-1"})
        made = await client.get("/health/live", headers={"X-Request-Id": "a b\tc"})
    assert given.headers["x-request-id"] == "abc-1"
    assert len(made.headers["x-request-id"]) == 12


async def test_an_answer_may_last_longer_than_a_body_may_take_to_come() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(_slowly(4))(scope, receive, send)

    bounded = Bounded(app, Limits(body_seconds=0.05))
    async with AsyncClient(transport=ASGITransport(bounded), base_url="http://hub") as client:
        answer = await client.post("/", json={})
    assert answer.text == "...."


async def _slowly(parts: int) -> AsyncIterator[bytes]:
    for _ in range(parts):
        await asyncio.sleep(0.03)
        yield b"."

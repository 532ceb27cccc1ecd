"""The same Idempotency-Key is the same request: done once, answered the same."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.accounts import Accounts
from hub.accounts.credentials import Passwords
from hub.http import requests, reserving
from schemas.accounts import ANSWERED, KEYS, AnsweredRequest, ApiKey, Role
from schemas.case_messages import CaseNoted
from schemas.errors import Outage
from schemas.steps import Query, Step, Where
from tests.hub.http.company import CHEAP, House
from tests.support.waiting import eventually

KEY = {"Idempotency-Key": "7d6f0d0a"}


async def notes(home: House) -> int:
    return sum(isinstance(each.data, CaseNoted) for each in await home.events())


async def test_a_request_sent_again_is_answered_again_and_done_once(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        first = await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
        again = await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert again.headers["etag"] == first.headers["etag"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await notes(home) == 1


async def test_two_clicks_at_once_are_one(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answers = await asyncio.gather(
            *(
                client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
                for _ in range(5)
            )
        )
    assert {each.status_code for each in answers} == {200}
    assert sum("idempotency-replayed" in each.headers for each in answers) == 4
    assert await notes(home) == 1


async def test_the_same_key_for_another_request_is_refused(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
        other_body = await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "ho"}, headers=KEY)
        other_path = await client.post(f"/api/v1/cases/{case.id}/claim", headers=KEY)
    assert other_body.status_code == other_path.status_code == 422
    assert other_body.json()["errors"][0]["field"] == "header.idempotency-key"
    assert await notes(home) == 1


async def test_keys_of_two_principals_do_not_meet(home: House) -> None:
    case = await home.case("ann")
    key = await home.key({"orders": Role.AGENT})
    async with home.signed_in("ines") as agent, home.client(authorization=f"Bearer {key}") as shop:
        await agent.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
        answer = await shop.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
    assert "idempotency-replayed" not in answer.headers
    assert await notes(home) == 2


async def test_a_refused_request_may_be_sent_again_with_its_key(home: House) -> None:
    case = await home.case("ann", assignee="olga", assigned_at=home.clock.now())
    claim = f"/api/v1/cases/{case.id}/claim"
    async with home.signed_in("ines") as client, home.signed_in("root") as root:
        refused = await client.post(claim, headers=KEY)
        await root.post(f"/api/v1/cases/{case.id}/assign", json={"assignee": None})
        done = await client.post(claim, headers=KEY)
    assert (refused.status_code, done.status_code) == (409, 200)


async def test_an_answer_lost_to_a_crash_is_made_again_without_doing_it_twice(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
        for each in (await home.engine.find(Query(ANSWERED))).items:
            await home.engine.commit(Step(deletions=[(AnsweredRequest, each.id)]))
        again = await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"}, headers=KEY)
    assert again.status_code == 200
    assert await notes(home) == 1


async def test_a_key_is_forgotten_after_a_day(home: House) -> None:
    async with home.signed_in("root") as client:
        body = {"name": "olga", "roles": {}}
        await client.post("/api/v1/users", json=body, headers=KEY)
        home.clock.advance(hours=25)
    async with home.signed_in("root") as client:
        again = await client.post("/api/v1/users", json=body, headers=KEY)
    assert again.status_code == 409
    assert await home.accounts.purge() >= 1


async def test_a_secret_is_shown_once_and_not_kept_with_the_answer(home: House) -> None:
    body = {"name": "shop", "scopes": ["read"]}
    async with home.signed_in("root") as client:
        first = (await client.post("/api/v1/keys", json=body, headers=KEY)).json()
        again = (await client.post("/api/v1/keys", json=body, headers=KEY)).json()
    assert again["key"] == first["key"]
    assert first["secret"].startswith("hk_")
    assert again["secret"] == "(shown once)"
    kept = b"".join(path.read_bytes() for path in home.engine.folder.rglob("*") if path.is_file())
    assert first["secret"].encode() not in kept


async def test_a_key_that_cannot_be_one_is_refused(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        for key in ("", "a b", "x" * 256):
            answer = await client.post(f"/api/v1/cases/{case.id}/claim", headers={"Idempotency-Key": key})
            assert answer.status_code == 422


class Shared:
    """The engine as two processes have it: what it holds is read again each time, and one of them is slow to write keys."""

    is_one_order = False

    def __init__(self, home: House) -> None:
        self._engine = home.engine
        self.reached, self.gate = asyncio.Event(), asyncio.Event()
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def commit(self, step: Step) -> None:
        if any(isinstance(each, ApiKey) for each, _ in step.documents):
            self.reached.set()
            await self.gate.wait()
            if self.fails:
                raise Outage("the store is away")
        await self._engine.commit(step)


def process(home: House, shared: Shared) -> House:
    """Another process of the same company: its own application, locks and memory."""
    accounts = Accounts(shared, home.clock, Passwords(CHEAP))
    return home.rebuilt(engine=shared, accounts=accounts)


NEW_KEY = {"name": "crm", "scopes": ["read"], "roles": {"*": "agent"}}


async def keys(home: House) -> int:
    return await home.engine.count(Query(KEYS, (Where("name", "=", "crm"),)))


async def test_a_request_that_reaches_two_processes_at_once_is_done_once(home: House) -> None:
    shared = Shared(home)
    one, two = process(home, shared), process(home, shared)
    headers = {"Authorization": f"Bearer {await home.key({'*': Role.ADMIN})}", **KEY}
    async with one.client(**headers) as first, two.client(**headers) as second:
        asked = asyncio.create_task(first.post("/api/v1/keys", json=NEW_KEY))
        await shared.reached.wait()
        again = asyncio.create_task(second.post("/api/v1/keys", json=NEW_KEY))
        other = asyncio.create_task(second.post("/api/v1/keys", json={**NEW_KEY, "name": "other"}))
        await asyncio.sleep(0)
        shared.gate.set()
        answers = [await asked, await again, await other]
    assert [each.status_code for each in answers] == [201, 201, 422]
    assert answers[0].json()["key"] == answers[1].json()["key"]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert await keys(home) == 1


async def test_a_second_click_waits_for_a_first_that_takes_too_long_and_is_told_to_ask_again(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "PATIENCE_SECONDS", 0.1)
    shared = Shared(home)
    one = process(home, shared)
    headers = {"Authorization": f"Bearer {await home.key({'*': Role.ADMIN})}", **KEY}
    async with one.client(**headers) as client:
        asked = asyncio.create_task(client.post("/api/v1/keys", json=NEW_KEY))
        await shared.reached.wait()
        again = await client.post("/api/v1/keys", json=NEW_KEY)
        shared.gate.set()
        first = await asked
    assert (first.status_code, again.status_code) == (201, 503)
    assert again.headers["retry-after"] == "2"
    assert await keys(home) == 1


async def test_a_request_that_failed_may_come_again_to_another_process(home: House) -> None:
    shared = Shared(home)
    shared.gate.set()
    shared.fails = True
    one, two = process(home, shared), process(home, shared)
    headers = {"Authorization": f"Bearer {await home.key({'*': Role.ADMIN})}", **KEY}
    async with one.client(**headers) as first, two.client(**headers) as second:
        assert (await first.post("/api/v1/keys", json=NEW_KEY)).status_code == 503
        shared.fails = False
        assert (await second.post("/api/v1/keys", json=NEW_KEY)).status_code == 201
    assert await keys(home) == 1


async def test_the_place_of_a_process_that_ended_while_it_answered_is_taken_by_another(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "LEFT_SECONDS", 60.0)
    shared = Shared(home)
    one = process(home, shared)
    shared.gate.set()
    key = await home.key({"*": Role.ADMIN})
    headers = {"Authorization": f"Bearer {key}", **KEY}
    async with one.client(**headers) as client:
        first = await client.post("/api/v1/keys", json=NEW_KEY)
        (kept,) = (await home.engine.find(Query(ANSWERED))).items
        assert isinstance(kept, AnsweredRequest)
        begun = kept.model_copy(update={"status": 0, "revision": kept.revision + 1})
        await home.engine.commit(Step(documents=[(begun, kept.revision)]))
        limits = replace(one.context.facts.limits, answer_seconds=0.2)
        hasty = one.rebuilt(facts=replace(one.context.facts, limits=limits))
        async with hasty.client(**headers) as impatient:
            waits = await impatient.post("/api/v1/keys", json=NEW_KEY)
        monkeypatch.setattr(reserving, "LEFT_SECONDS", 0.2)
        again = await client.post("/api/v1/keys", json=NEW_KEY)
    assert (first.status_code, waits.status_code, again.status_code) == (201, 503, 201)
    assert waits.headers["retry-after"]


async def test_a_process_that_takes_long_keeps_its_place(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserving, "RENEW_SECONDS", 0.02)
    monkeypatch.setattr(reserving, "LEFT_SECONDS", 60.0)
    shared = Shared(home)
    one, two = process(home, shared), process(home, shared)
    headers = {"Authorization": f"Bearer {await home.key({'*': Role.ADMIN})}", **KEY}

    async def revision() -> int:
        (place,) = (await home.engine.find(Query(ANSWERED))).items
        return place.revision

    async with one.client(**headers) as first, two.client(**headers) as second:
        asked = asyncio.create_task(first.post("/api/v1/keys", json=NEW_KEY))
        await shared.reached.wait()
        again = asyncio.create_task(second.post("/api/v1/keys", json=NEW_KEY))
        await eventually(lambda: _at_least(revision, 4))
        shared.gate.set()
        answers = [await asked, await again]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert await keys(home) == 1


async def _at_least(asked: Callable[[], Awaitable[int]], least: int) -> bool:
    return await asked() >= least

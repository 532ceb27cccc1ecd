"""Operators: letters, configuration, users and keys, verify, ingest."""

import json
from base64 import b64encode

import httpx
import pytest

from hub.http.authentication import as_operator
from hub.leaving import Leaving
from hub.letters import dead_letter
from schemas.accounts import ANSWERED, AnsweredRequest, Role, Scope
from schemas.case_work import CaseAssigned
from schemas.cases import CaseState
from schemas.documents import Parked
from schemas.ids import derive
from schemas.letters import QuarantineItem
from schemas.steps import Query, Step
from schemas.topics import Topic
from tests.hub.http.company import ADMIN, CONFIGURATION, ORIGIN, ORIGINAL, House, blob_of


async def quarantined(home: House) -> QuarantineItem:
    blob = blob_of(ORIGINAL, "message/rfc822")
    item = QuarantineItem(
        id=derive("item"),
        revision=1,
        channel="email",
        account="support",
        original=blob.ref,
        stage="parse",
        reason="it is no mail",
        received_at=home.clock.now(),
    )
    await home.engine.commit(Step(documents=[(item, 0)], blobs=[blob]))
    return item


async def test_what_could_not_be_read_is_shown_with_its_original_and_given_up(home: House) -> None:
    item = await quarantined(home)
    async with home.signed_in("root") as client:
        listed = (await client.get("/api/v1/quarantine")).json()["items"]
        original = await client.get(f"/api/v1/quarantine/{item.id}/original")
        still = await client.post(f"/api/v1/quarantine/{item.id}/replay")
        dropped = await client.post(f"/api/v1/quarantine/{item.id}/drop")
        twice = await client.post(f"/api/v1/quarantine/{item.id}/drop")
        left = (await client.get("/api/v1/quarantine")).json()["items"]
        all_of_them = (await client.get("/api/v1/quarantine?all_states=true")).json()["items"]
    assert [(each["reason"], each["size"]) for each in listed] == [("it is no mail", len(ORIGINAL))]
    assert original.content == ORIGINAL
    assert original.headers["content-type"] == "application/octet-stream"
    assert "original-read" in await home.audit()
    assert (still.status_code, dropped.status_code, twice.status_code) == (422, 204, 409)
    assert (left, all_of_them[0]["state"]) == ([], "dropped")


async def test_keys_that_wait_are_listed_with_how_many_events_wait_behind_each(home: House) -> None:
    step = Step()
    for number, key in enumerate(("slow", "other", "slow", "slow")):
        parked = Parked(
            id=derive("parked", str(number)),
            revision=1,
            consumer="cases",
            key=key,
            event=derive("event", str(number)),
            position=str(number),
            reason=f"fact {number} is missing",
            not_before=home.clock.now(),
        )
        step.documents.append((parked, 0))
    await home.engine.commit(step)
    async with home.signed_in("root") as client:
        keys = (await client.get("/api/v1/parked")).json()
        most = (await client.get("/api/v1/parked?limit=1")).json()
    async with home.signed_in("ines") as client:
        refused = await client.get("/api/v1/parked")
    assert [(each["key"], each["events"], each["reason"]) for each in keys] == [
        ("slow", 3, "fact 0 is missing"),
        ("other", 1, "fact 1 is missing"),
    ]
    assert [each["key"] for each in most] == ["slow"]
    assert refused.status_code == 403


async def test_a_dead_letter_is_replayed_as_it_was_or_edited(home: House) -> None:
    case = await home.case("ann")
    await home.note(case, "broken")
    record = (await home.engine.scan([Topic.CASES], "", 10))[-1]
    told, letter = dead_letter("cases", record, "decide", "it raised", 1, home.clock.now())
    await home.engine.commit(Step(events=[told], documents=[(letter, 0)]))
    path = f"/api/v1/dead-letters/{letter.id}"
    async with home.signed_in("root") as client:
        shown = (await client.get(path)).json()
        nonsense = await client.post(f"{path}/replay", json={"value": "%%%"})
        unreadable = await client.post(f"{path}/replay", json={"value": b64encode(b"{}").decode()})
        replayed = await client.post(f"{path}/replay")
        left = (await client.get("/api/v1/dead-letters")).json()["items"]
    assert shown["value"] == b64encode(record.value).decode()
    assert (nonsense.status_code, unreadable.status_code, replayed.status_code) == (422, 422, 204)
    assert left == []
    assert (await home.events(Topic.CASES))[-1].late


async def test_a_configuration_with_problems_is_refused_whole_and_all_are_told(home: House) -> None:
    good = json.loads(CONFIGURATION.model_dump_json())
    bad = {**good, "default_queue": "nowhere"}
    async with home.signed_in("root") as client:
        first = (await client.get("/api/v1/configuration")).json()
        refused = await client.put("/api/v1/configuration", json=bad)
        checked = (await client.post("/api/v1/configuration/problems", json=bad)).json()
        unknown = await client.put("/api/v1/configuration", json={**good, "quues": []})
        published = await client.put("/api/v1/configuration", json={**good, "automatic_answers_per_day": 3})
        current = (await client.get("/api/v1/configuration")).json()
        versions = (await client.get("/api/v1/configuration/versions")).json()["items"]
        missing = await client.get("/api/v1/configuration/versions/99")
    assert first["number"] == 1
    assert refused.status_code == unknown.status_code == 422
    assert [each["field"] for each in checked["problems"]] == [
        each["field"] for each in refused.json()["errors"]
    ]
    assert unknown.json()["errors"][0]["field"] == "body.quues"
    assert published.status_code == 200
    assert current["number"] == published.json()["number"]
    assert current["configuration"]["automatic_answers_per_day"] == 3
    assert current["actor"]["id"] == "root"
    assert [each["number"] for each in versions] == [2, 1]
    assert missing.status_code == 404


async def test_users_are_made_changed_and_ended(home: House) -> None:
    async with home.signed_in("root") as client:
        made = await client.post("/api/v1/users", json={"name": "Olga", "roles": {"orders": "agent"}})
        taken = await client.post("/api/v1/users", json={"name": "olga"})
        wrong = await client.post("/api/v1/users", json={"name": "x", "roles": {"orders": "king"}})
        changed = await client.patch(
            "/api/v1/users/olga", json={"title": "Olga", "roles": {"*": "supervisor"}}
        )
        reset = await client.post("/api/v1/users/olga/password")
        ended = await client.patch("/api/v1/users/olga", json={"active": False})
        last = await client.patch("/api/v1/users/root", json={"roles": {"orders": "agent"}})
        names = [each["name"] for each in (await client.get("/api/v1/users")).json()["items"]]
    assert made.json()["user"]["name"] == "olga"
    assert made.json()["one_time_password"] != reset.json()["one_time_password"]
    assert (taken.status_code, wrong.status_code, last.status_code) == (409, 422, 422)
    assert changed.json()["roles"] == {"*": "supervisor"}
    assert ended.json()["active"] is False
    assert names == ["bill", "ines", "olga", "root"]
    assert "password_hash" not in made.text + changed.text


async def test_an_administrator_ends_the_sessions_of_a_user(home: House) -> None:
    async with home.signed_in("ines") as agent, home.signed_in("root") as root:
        listed = (await root.get("/api/v1/users/ines/sessions")).json()["items"]
        await root.delete("/api/v1/users/ines/sessions")
        after = await agent.get("/api/v1/session")
    assert len(listed) == 1
    assert after.status_code == 401


async def test_a_key_is_shown_once_and_then_by_its_ends(home: House) -> None:
    body = {"name": "shop", "scopes": ["read"], "roles": {"orders": "agent"}}
    async with home.signed_in("root") as client:
        made = (await client.post("/api/v1/keys", json=body)).json()
        listed = await client.get("/api/v1/keys")
        async with home.client(authorization=f"Bearer {made['secret']}") as shop:
            before = await shop.get("/api/v1/cases")
            revoked = await client.delete(f"/api/v1/keys/{made['key']['id']}")
            after = await shop.get("/api/v1/cases")
    assert made["secret"] not in listed.text
    assert listed.json()["items"][0]["last_four"] == made["secret"][-4:]
    assert revoked.json()["revoked_at"]
    assert (before.status_code, after.status_code) == (200, 401)


async def test_the_audit_trail_is_read_by_pages(home: House) -> None:
    async with home.signed_in("root") as client:
        seen, after = [], None
        while True:
            params = {"limit": 2} | ({"after": after} if after else {})
            page = (await client.get("/api/v1/audit", params=params)).json()
            seen += [each["action"] for each in page["items"]]
            if (after := page["next"]) is None:
                break
        by_root = (await client.get("/api/v1/audit", params={"who": "root"})).json()["items"]
    assert seen == await home.audit()
    assert {each["actor"]["id"] for each in by_root} == {"root"}


async def test_a_verification_is_a_line_for_each_fault_and_one_for_the_result(home: House) -> None:
    async with home.signed_in("root") as client:
        answer = await client.post("/api/v1/verify", json={"ledger": f"# mine\n{derive('lost')}\n"})
        wrong = await client.post("/api/v1/verify", json={"ledger": "not an id"})
        whole = await client.post("/api/v1/verify")
    lines = [json.loads(each) for each in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [each.get("promise") for each in lines] == ["ledger", None]
    assert lines[-1]["result"] == "broken"
    assert wrong.status_code == 422
    assert json.loads(whole.text.splitlines()[-1])["result"] == "whole"


async def test_a_mail_is_handed_in_and_an_empty_one_is_not(home: House) -> None:
    async with home.signed_in("root") as client:
        taken = await client.post("/api/v1/ingest/email?account=support", content=ORIGINAL)
        unknown = await client.post("/api/v1/ingest/email?account=nobody", content=ORIGINAL)
        empty = await client.post("/api/v1/ingest/email")
        large = await client.post("/api/v1/ingest/email", content=b"x" * 3_000_000)
    assert taken.json()["outcome"] == "accepted"
    assert (unknown.status_code, empty.status_code, large.status_code) == (422, 422, 200)


async def test_only_the_command_on_the_machine_makes_a_backup(home: House) -> None:
    target = home.engine.folder.parent / "copy"
    transport = httpx.ASGITransport(app=as_operator(home.app), client=None)  # type: ignore[arg-type]
    async with (
        home.signed_in("root") as root,
        httpx.AsyncClient(transport=transport, base_url=ORIGIN) as operator,
    ):
        refused = await root.post("/api/v1/backup", json={"folder": str(target)})
        assert not target.exists()
        made = await operator.post("/api/v1/backup", json={"folder": str(target)})
    assert (refused.status_code, made.status_code) == (403, 204)
    assert list(target.iterdir())
    assert (await home.audit())[-1] == "backup-made"


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_a_supervisor_settles_letters_and_an_administrator_does_the_rest(
    home: House, role: Role
) -> None:
    item = await quarantined(home)
    await home.add_user("olga", {"*": role})
    async with home.signed_in("olga") as client:
        looked = await client.get("/api/v1/quarantine")
        acted = await client.post(f"/api/v1/quarantine/{item.id}/drop")
        users = await client.get("/api/v1/users")
    assert looked.status_code == (200 if role is Role.SUPERVISOR else 403)
    assert acted.status_code == (204 if role is Role.SUPERVISOR else 403)
    assert users.status_code == 403


async def test_a_key_settles_letters_only_with_the_scope_for_it(home: House) -> None:
    item = await quarantined(home)
    reading = await home.key({"*": Role.ADMIN}, Scope.READ, Scope.WRITE)
    async with home.client(authorization=f"Bearer {reading}") as client:
        looked = await client.get("/api/v1/quarantine")
        acted = await client.post(f"/api/v1/quarantine/{item.id}/drop")
    assert (looked.status_code, acted.status_code) == (200, 403)


async def test_a_key_asked_for_again_after_a_crash_is_the_same_key(home: House) -> None:
    body = {"name": "shop", "scopes": ["read"], "roles": {"orders": "agent"}}
    headers = {"Idempotency-Key": "a-key-for-the-shop"}
    async with home.signed_in("root") as client:
        made = (await client.post("/api/v1/keys", json=body, headers=headers)).json()
        kept = (await home.engine.find(Query(ANSWERED))).items
        await home.engine.commit(Step(deletions=[(AnsweredRequest, each.id) for each in kept]))
        again = (await client.post("/api/v1/keys", json=body, headers=headers)).json()
        other = (await client.post("/api/v1/keys", json=body)).json()
        listed = (await client.get("/api/v1/keys")).json()["items"]
    assert again == made
    assert other["secret"] != made["secret"]
    assert {each["id"] for each in listed} == {made["key"]["id"], other["key"]["id"]}


async def test_cases_of_who_leaves_go_back_to_their_queues(home: House) -> None:
    held = await home.case("held", assignee="ines")
    done = await home.case("done", assignee="ines", state=CaseState.RESOLVED)
    await home.case("of another", assignee="bill")
    async with home.signed_in("root") as client:
        await client.patch("/api/v1/users/ines", json={"active": False})
        await client.patch("/api/v1/users/ines", json={"active": False})
    (told,) = [each.data for each in await home.events(Topic.CASES)]
    assert isinstance(told, CaseAssigned)
    assert (told.case, told.assignee, told.actor.id) == (held.id, None, "root")
    assert (await home.context.service.case_after(held.id)).assignee is None
    assert (await home.context.service.case_after(done.id)).assignee == "ines"


async def test_what_was_left_undone_for_who_left_is_done_in_the_house(home: House) -> None:
    held = await home.case("held", assignee="ines")
    await home.accounts.users.deactivate("ines", ADMIN)
    leaving = Leaving(home.engine, home.context.service)
    assert await leaving.run() == 1
    assert await leaving.run() == 0
    assert (await home.context.service.case_after(held.id)).assignee is None

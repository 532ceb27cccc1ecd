"""All routes, asked for by somebody who may see nothing of it."""

import pytest

from schemas.accounts import Role, Scope
from schemas.cases import CaseState
from schemas.documents import Case, Entry
from schemas.ids import derive
from schemas.steps import References, Step
from schemas.topics import Topic
from tests.hub.http.company import House
from tests.hub.http.walking import Step as Asked
from tests.hub.http.walking import routes, victim_parameters, walk

OPEN_TO_ALL = {
    "/health/live",
    "/health/ready",
    "/metrics",  # bound to a token by a setting
    "/api/v1/openapi.json",
    "/api/v1/session/providers",  # shown at the gate
}
OWN_SESSION = {
    "/api/v1/session",
    "/api/v1/session/password",
    "/api/v1/session/code",
    "/api/v1/session/preferences",
    "/api/v1/session/identities",
    "/api/v1/session/identities/{item}",
    "/api/v1/session/second-factor",
    "/api/v1/session/second-factor/confirm",
    "/api/v1/session/second-factor/drop",
    "/api/v1/session/second-factor/recovery-codes",
    "/api/v1/sessions",
    "/api/v1/sessions/{session}",
}
ENDLESS = ("/api/v1/cases/stream",)  # an agent's own stream; test_streams looks at what it shows


async def victim(home: House) -> tuple[Case, Entry]:
    case = await home.case("victoria", "orders")
    entries = (await home.engine.load(References(entries={derive("entry", "victoria")}))).entries
    return case, next(iter(entries.values()))


def reveals(step: Asked, case: Case, entry: Entry) -> bool:
    """Whether an answer tells anything of the case: its person, its words, its ids beyond those of the question."""
    said = step.answer.text + str(step.answer.headers)
    return any(
        secret in said
        for secret in (case.subject, case.number, "victoria@example.net", entry.text, "in_voice")
    )


async def test_an_agent_of_another_queue_sees_nothing_and_changes_nothing(home: House) -> None:
    case, entry = await victim(home)
    before = await home.engine.load(References(documents={Case: {case.id}}))
    steps = 0
    async with home.signed_in("bill") as client:
        async for step in walk(home.app, client, victim_parameters(case, entry), (*ENDLESS, *OWN_SESSION)):
            steps += 1
            assert step.answer.status_code < 500, step
            assert not reveals(step, case, entry), step
            if "{" in step.path:
                assert step.answer.status_code in (403, 404), step
    assert steps > 60
    assert await home.engine.load(References(documents={Case: {case.id}})) == before
    assert await home.events(Topic.CASES, Topic.IDENTITY, Topic.OUTBOUND) == []
    assert len(await home.events(Topic.CONFIGURATION)) == 1  # that of the start
    assert "original-read" not in await home.audit()


async def test_who_reads_a_case_reads_what_was_merged_into_it_and_no_more(home: House) -> None:
    case, entry = await victim(home)
    other = await home.case("victoria's other", "orders", handle=case.handle)
    target = await home.case("target", "billing", revision=2, absorbed=(case.id,))
    merged = case.model_copy(
        update={"state": CaseState.MERGED, "merged_into": target.id, "revision": case.revision + 1}
    )
    async with home.signed_in("bill") as client:
        base = f"/api/v1/cases/{target.number}"
        assert (await client.get(f"{base}/entries/{derive('entry', other.conversation)}")).status_code == 404
        assert (await client.get(f"/api/v1/cases/{case.number}")).status_code == 404
        await home.engine.commit(Step(documents=[(merged, case.revision)]))
        timeline = await client.get(f"{base}/timeline")
        found = await client.get("/api/v1/search", params={"q": "victoria"})
        answers = [
            await client.get(f"{base}/entries/{entry.id}{part}") for part in ("", "/html", "/original")
        ]
        answers.append(await client.get(f"/api/v1/cases/{case.number}"))
        hidden = [
            await client.get(f"/api/v1/cases/{other.number}"),
            await client.get(f"{base}/entries/{derive('entry', other.conversation)}"),
        ]
    assert entry.text in timeline.text
    assert other.subject not in timeline.text
    assert [each["number"] for each in found.json()["items"]] == [case.number]
    assert [each.status_code for each in answers] == [200, 200, 303, 200]
    assert [each.status_code for each in hidden] == [404, 404]


async def test_nobody_sees_nothing(home: House) -> None:
    case, entry = await victim(home)
    async with home.client() as client:
        async for step in walk(home.app, client, victim_parameters(case, entry)):
            assert step.path in OPEN_TO_ALL or step.answer.status_code in (401, 422), step
            assert step.answer.status_code != 422 or step.path in OWN_SESSION, step


async def test_a_key_without_scopes_of_its_own_roles_does_nothing(home: House) -> None:
    case, entry = await victim(home)
    key = await home.key({"*": Role.ADMIN}, Scope.EVENTS)
    skip = (*ENDLESS, *OWN_SESSION, "/api/v1/events/stream")
    async with home.client(authorization=f"Bearer {key}") as client:
        async for step in walk(home.app, client, victim_parameters(case, entry), skip):
            allowed = step.path in OPEN_TO_ALL or step.path == "/api/v1/events"
            assert allowed or step.answer.status_code == 403, step


async def test_an_agent_of_the_queue_reaches_the_case_by_every_route_of_it(home: House) -> None:
    """The walk above proves something only while the same requests find the case for who may see it."""
    case, entry = await victim(home)
    await home.routed(case)
    async with home.signed_in("root") as client:
        async for step in walk(
            home.app,
            client,
            victim_parameters(case, entry),
            (*ENDLESS, *OWN_SESSION, "/api/v1/events/stream"),
        ):
            if "{case}" in step.path and step.method == "GET":
                assert step.answer.status_code in (200, 303), step
            assert step.answer.status_code != 403 or step.path == "/api/v1/backup", step


@pytest.mark.parametrize(
    "needed", ["/api/v1/cases/{case}/entries/{entry}/original", "/metrics", "/api/v1/users"]
)
def test_the_walk_knows_the_routes(home: House, needed: str) -> None:
    assert needed in {path for _, path in routes(home.app)}

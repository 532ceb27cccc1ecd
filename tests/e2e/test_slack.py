"""Slack from end to end: a customer writes, an agent answers in the thread, and what happens to messages shows."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.slack.standin.oauth import CLIENT_ID, CLIENT_SECRET
from connectors.slack.standin.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackStandin
from connectors.slack.standin.workspace import TEAM
from hub.settings import HubSettings
from hub.up import Running, start
from schemas.accounts import Principal, Role
from schemas.collections import CASES
from schemas.commands import DeleteReply, EditReply, ReplyToCase
from schemas.documents import Case, Entry, EntryKind
from schemas.events import SYSTEM, Actor
from schemas.ids import derive
from schemas.outbound import DeliveryState
from schemas.steps import Query
from tests.e2e.engines import SERVERS, settings_of
from tests.support.ports import free_port
from tests.support.waiting import eventually

MIA = Principal(kind="agent", id="mia", name="Mia", roles={"*": Role.AGENT})
CHANNEL = "C0CUSTOMER"


def settings(standin: SlackStandin, **account: Any) -> HubSettings:
    return HubSettings.model_validate(
        {
            "queues": [{"name": "inbox", "title": "Inbox"}],
            "default_queue": "inbox",
            "console": {"port": 0},
            "intake": {"port": 0},
            "files": {"port": 0},
            "grace_seconds": 1,
            "slack": {
                "accounts": [
                    {
                        "name": "acme",
                        "team": TEAM,
                        "bot_token": BOT_TOKEN,
                        "signing_secrets": [SIGNING_SECRET],
                        "api_url": standin.api_url,
                        **account,
                    }
                ]
            },
        }
    )


@pytest.fixture
async def standin() -> AsyncIterator[SlackStandin]:
    made = SlackStandin(retry_seconds=(0.1, 0.2, 0.4))
    made.workspace.person("U0ANN0001", "Ann Example", "ann@example.com")
    made.workspace.person("U0BEN0001", "Ben")
    made.workspace.channel(CHANNEL)
    await made.start()
    yield made
    await made.stop()


ON_SERVERS = pytest.param(
    "on-servers",
    marks=[
        pytest.mark.server("kafka"),
        pytest.mark.server("nx-27017"),
        pytest.mark.xdist_group("servers"),
        pytest.mark.slow,
    ],
)


@pytest.fixture(params=["events-api", "socket-mode", ON_SERVERS])
async def hub(
    request: pytest.FixtureRequest, tmp_path: Path, standin: SlackStandin
) -> AsyncIterator[Running]:
    account = {"app_token": APP_TOKEN} if request.param == "socket-mode" else {}
    given = settings(standin, **account).model_dump(mode="python", exclude_unset=True)
    if request.param == "on-servers":
        given |= await settings_of(SERVERS)
    running = await start(HubSettings.model_validate(given), tmp_path / "data")
    if request.param != "socket-mode":
        standin.request_url = f"{running.addresses['intake']}/hooks/slack/acme"
    yield running
    await running.stop()


async def the_case(hub: Running) -> Case:
    async def found() -> Case | None:
        page = await hub.hub.engine.find(Query(CASES))
        cases = [each for each in page.items if isinstance(each, Case) and each.queue]
        return cases[0] if len(cases) == 1 else None

    case = await eventually(found)
    assert case is not None
    return case


async def timeline(hub: Running, case: Case) -> list[Entry]:
    page = await hub.hub.service.timeline(MIA, case)
    return list(reversed(page.items))


async def happened(hub: Running, case: Case, *steps: str) -> None:
    async def told() -> bool:
        return set(steps) <= {each.step for each in await timeline(hub, case)}

    assert await eventually(told, within_seconds=30)


async def answer(hub: Running, case: Case, text: str) -> None:
    command = ReplyToCase(case=case.id, actor=Actor(kind="agent", id="mia", name="Mia"), text=text)
    await hub.hub.service.command(MIA, command, derive("answer", text))


async def test_a_customer_writes_an_agent_answers_and_it_is_known_to_have_arrived(
    hub: Running, standin: SlackStandin
) -> None:
    ts = standin.workspace.say("U0ANN0001", CHANNEL, "Where is my *order*? &lt;1187&gt;")
    case = await the_case(hub)
    assert case.channel == "slack"
    first = (await timeline(hub, case))[0]
    assert first.text == "Where is my *order*? <1187>"
    assert first.actor.name == "Ann Example"
    await answer(hub, case, "It left on <Monday> & arrives soon")

    async def arrived() -> bool:
        replies = [each for each in await timeline(hub, case) if each.kind is EntryKind.REPLY]
        return [each.delivery for each in replies] == [DeliveryState.SENT]

    assert await eventually(arrived)
    (posted,) = standin.workspace.from_app()
    assert posted["text"] == "It left on &lt;Monday&gt; &amp; arrives soon"
    assert posted["thread_ts"] == ts
    standin.workspace.say("U0BEN0001", CHANNEL, "Thank you both", thread_ts=ts)

    async def answered() -> bool:
        return [each.text for each in await timeline(hub, case)].count("Thank you both") == 1

    assert await eventually(answered)
    await the_case(hub)  # still the only one: neither the echo nor the second person opened another


async def test_edits_deletions_and_reactions_reach_the_timeline(hub: Running, standin: SlackStandin) -> None:
    ts = standin.workspace.say("U0ANN0001", CHANNEL, "Where is my ordr?")
    case = await the_case(hub)
    standin.workspace.edit(CHANNEL, ts, "Where is my order?")
    standin.workspace.unfurl(CHANNEL, ts, "https://shop.example/orders")
    standin.workspace.react("U0BEN0001", CHANNEL, ts, "eyes")
    await happened(hub, case, "message-edited", "message-reacted")
    standin.workspace.delete(CHANNEL, ts)
    await happened(hub, case, "message-deleted")
    steps = [each.step for each in await timeline(hub, case)]
    assert steps.count("message-edited") == 1, "a preview of a link is no edit"


async def test_the_console_shows_the_channel_and_what_happened_to_its_messages(
    hub: Running, standin: SlackStandin
) -> None:
    ts = standin.workspace.say("U0ANN0001", CHANNEL, "Where is my ordr?")
    case = await the_case(hub)
    standin.workspace.edit(CHANNEL, ts, "Where is my order?")
    standin.workspace.react("U0BEN0001", CHANNEL, ts, "eyes")
    await happened(hub, case, "message-edited", "message-reacted")
    standin.workspace.delete(CHANNEL, ts)
    await happened(hub, case, "message-deleted")
    _, one_time = await hub.hub.accounts.users.create("mia", {"*": Role.AGENT}, SYSTEM, title="Mia")
    async with httpx.AsyncClient(base_url=hub.addresses["console"], trust_env=False) as client:
        session = await client.post("/api/v1/session", json={"name": "mia", "password": one_time})
        headers = {"X-CSRF-Token": session.json()["csrf"]}
        change = {"old_password": one_time, "password": "three wheels turn"}
        assert (await client.post("/api/v1/session/password", json=change, headers=headers)).is_success
        page = (await client.get(f"/console/queues/inbox/{case.number}")).text
        entries = (await client.get(f"/api/v1/cases/{case.number}/timeline")).json()["items"]
    (message,) = [each for each in entries if each["kind"] == "message"]
    assert message["text"] == "Where is my order?"
    assert message["detail"]["reactions"] == [{"emoji": "👀", "by": ["Ben"]}]
    assert message["detail"]["deleted_at"] and message["detail"]["edited_at"]
    for shown in ("Where is my order?", "👀", "Deleted", "Slack", "#hash", "Ann Example edited a message"):
        assert shown in page, shown
    assert "ordr" not in page


async def reply_of(hub: Running, case: Case) -> Entry:
    (reply,) = [each for each in await timeline(hub, case) if each.kind is EntryKind.REPLY]
    return reply


async def test_an_answer_is_edited_marked_and_taken_back_and_the_log_proves_it(
    hub: Running, standin: SlackStandin
) -> None:
    ts = standin.workspace.say("U0ANN0001", CHANNEL, "Where is my order?")
    case = await the_case(hub)
    await answer(hub, case, "It left on Monday")

    async def sent() -> bool:
        return (await reply_of(hub, case)).delivery is DeliveryState.SENT

    assert await eventually(sent)
    message = (await reply_of(hub, case)).message
    assert message is not None
    (posted,) = standin.workspace.from_app()
    standin.workspace.react("U0ANN0001", CHANNEL, posted["ts"], "eyes")
    mia = Actor(kind="agent", id="mia", name="Mia")
    edit = EditReply(case=case.id, actor=mia, message=message, text="It left on <Tuesday>")
    for _ in range(2):  # the same request
        await hub.hub.service.command(MIA, edit, derive("edit"))

    async def reads_so() -> bool:
        reply = await reply_of(hub, case)
        return reply.text == "It left on <Tuesday>" and "reactions" in reply.detail

    assert await eventually(reads_so)
    assert [each["text"] for each in standin.workspace.from_app()] == ["It left on &lt;Tuesday&gt;"]
    await hub.hub.service.command(
        MIA, DeleteReply(case=case.id, actor=mia, message=message), derive("delete")
    )
    await happened(hub, case, "message-deleted")
    assert (await reply_of(hub, case)).detail["deleted_by"] == "Mia"
    assert not standin.workspace.from_app() and standin.workspace.find(CHANNEL, ts)
    verified = [each async for each in hub.hub.verifier.verify()]
    assert [each.get("result") for each in verified] == ["whole"], verified


async def test_a_workspace_installs_the_app_by_the_page_of_a_running_hub(
    tmp_path: Path, standin: SlackStandin
) -> None:
    oauth = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "teams": [TEAM]}
    made = settings(standin, team=None, bot_token=None, oauth=oauth)
    port = free_port()
    intake = f"http://127.0.0.1:{port}"
    public = made.intake.model_copy(update={"port": port, "public_url": intake})
    running = await start(made.model_copy(update={"intake": public}), tmp_path / "data")
    try:
        standin.request_url = f"{intake}/hooks/slack/acme"
        standin.api.oauth.approver = (TEAM, "Acme")
        async with httpx.AsyncClient() as browser:
            page = await browser.get(f"{intake}/hooks/slack/acme/install")
            approved = await browser.get(page.headers["location"])
            done = await browser.get(approved.headers["location"])
        assert done.status_code == 200 and "installed in Acme" in done.text
        standin.workspace.say("U0ANN0001", CHANNEL, "Where is my order?")
        case = await the_case(running)
        await answer(running, case, "On its way")
        await eventually(lambda: [each["text"] for each in standin.workspace.from_app()] == ["On its way"])
    finally:
        await running.stop()

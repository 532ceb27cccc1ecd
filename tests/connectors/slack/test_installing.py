"""Workspaces install the app by its page; each has a token of its own, which is renewed; what is removed ends and says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from connectors.kit.grants import Grants
from connectors.kit.hooks import HookAnswer, HookRequest, serve
from connectors.slack.checking import check_account
from connectors.slack.connector import SlackConnector
from connectors.slack.installing import COOKIE, RETURNS
from connectors.slack.settings import SlackAccount
from connectors.slack.signature import SIGNATURE, TIMESTAMP, sign
from connectors.slack.standin.api import Fault
from connectors.slack.standin.oauth import CLIENT_ID, CLIENT_SECRET, TOKEN_SECONDS
from connectors.slack.standin.server import SIGNING_SECRET, SlackStandin
from schemas.errors import Invalid
from schemas.interactions import InteractionIgnored, InteractionReceived
from schemas.ports import HealthState, ReceiptStatus
from tests.connectors.slack.support import ANN, CHANNEL, Place, account, outbound, place, standin
from tests.support.waiting import eventually

PUBLIC = "https://hooks.example.com"
ACME, BETA, STRANGER = ("T0ACME001", "Acme"), ("T0BETA001", "Beta"), ("T0STRANGE", "Strangers & Sons")


def installed_account(slack: SlackStandin, **more: Any) -> SlackAccount:
    oauth = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "teams": [ACME[0], BETA[0]], **more}
    return account(slack.api_url, team=None, bot_token=None, oauth=oauth)


@dataclass
class Desk:
    """A connector of an app that is installed, with the browser of an administrator."""

    slack: SlackStandin
    there: Place
    connector: SlackConnector
    cookie: str = ""

    async def get(self, path: str, query: str = "") -> HookAnswer:
        assert self.connector.hook is not None
        headers = {"cookie": f"other=1; {COOKIE}={self.cookie}"}
        request = HookRequest("GET", headers, b"", self.there.clock.now(), dict(parse_qsl(query)), path=path)
        answer = await serve(self.connector.hook, request)
        cookie = answer.headers.get("set-cookie", "")
        if cookie:
            self.cookie = cookie.partition("=")[2].partition(";")[0]
        return answer

    async def begun(self) -> str:
        """The query with which Slack sends the browser back."""
        answer = await self.get("/install")
        assert answer.status == 302
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(answer.headers["location"], allow_redirects=False) as page,
        ):
            back = urlsplit(page.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == f"{PUBLIC}/hooks/slack/acme/redirect"
        return back.query

    async def install(self, approver: tuple[str, str]) -> HookAnswer:
        self.slack.api.oauth.approver = approver
        return await self.get("/redirect", await self.begun())

    async def tell(self, event: dict[str, Any], team: str, **more: Any) -> HookAnswer:
        assert self.connector.hook is not None
        body = json.dumps({**self.slack.envelope(event, team), **more}).encode()
        now = self.there.clock.now()
        headers = {
            TIMESTAMP: str(int(now.timestamp())),
            SIGNATURE: sign(SIGNING_SECRET, int(now.timestamp()), body),
        }
        return await serve(self.connector.hook, HookRequest("POST", headers, body, now))

    def message(self, text: str) -> dict[str, Any]:
        ts = self.slack.workspace.ts()
        return {"type": "message", "channel": CHANNEL, "user": ANN, "text": text, "ts": ts, "event_ts": ts}


def surroundings(there: Place) -> Any:
    grants = Grants(there.engine, there.clock, b"a secret of the tests, 32 bytes.")
    return replace(there.around, public_url=PUBLIC, grants=grants)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with standin() as slack, place(tmp_path) as there:
        slack.workspace.now = slack.api.oauth.now = there.clock.now
        slack.workspace.tell = lambda event: None
        async with opened(slack, there) as made:
            yield made


@asynccontextmanager
async def opened(slack: SlackStandin, there: Place, **more: Any) -> AsyncIterator[Desk]:
    """Another process of the hub, too."""
    connector = SlackConnector(installed_account(slack, **more), surroundings(there))
    try:
        yield Desk(slack, there, connector)
    finally:
        await connector.stop(1)
        await connector.close()


async def test_two_workspaces_install_the_app_and_each_is_heard_and_answered_with_its_own_token(
    desk: Desk,
) -> None:
    for approver in (ACME, BETA):
        answer = await desk.install(approver)
        assert answer.status == 200 and f"installed in {approver[1]}".encode() in answer.body
    for team, _ in (ACME, BETA):
        assert (await desk.tell(desk.message(f"from {team}"), team)).status == 200
    events = await desk.there.interactions()
    heard = [each for each in events if isinstance(each, InteractionReceived)]
    assert [each.conversation.split(":")[1] for each in heard] == [ACME[0], BETA[0]]
    for each in heard:
        hello = outbound("Hello", each.conversation, name=each.conversation)
        receipt = await desk.connector.sender.deliver(hello)
        assert receipt.status is ReceiptStatus.SENT
        assert receipt.external_id.startswith(each.conversation.rpartition(":")[0])


async def test_in_a_channel_of_two_organizations_a_strangers_message_is_of_our_workspace_and_says_whose_they_are(
    desk: Desk,
) -> None:
    await desk.install(ACME)
    await desk.install(BETA)
    shared = {"is_ext_shared_channel": True, "context_team_id": BETA[0], "team_id": STRANGER[0]}
    message = {**desk.message("hello"), "user_team": STRANGER[0], "source_team": STRANGER[0]}
    await desk.tell(message, BETA[0], **shared)
    (heard,) = await desk.there.interactions()
    assert isinstance(heard, InteractionReceived) and heard.sender is not None
    assert heard.conversation.startswith(f"slack:{BETA[0]}:")
    assert heard.sender.value == f"{STRANGER[0]}/{ANN}" and heard.sender.verified


async def test_a_page_that_did_not_begin_in_this_browser_or_comes_late_or_twice_installs_nothing(
    desk: Desk,
) -> None:
    desk.slack.api.oauth.approver = ACME
    query = await desk.begun()
    ours, desk.cookie = desk.cookie, "another"
    assert (await desk.get("/redirect", query)).status == 400
    desk.cookie = ours
    assert (await desk.get("/redirect", query.replace("state=", "state=x"))).status == 400
    desk.there.clock.ahead = timedelta(minutes=11)
    assert (await desk.get("/redirect", query)).status == 400
    desk.there.clock.ahead = timedelta()
    assert (await desk.get("/redirect", query)).status == 200 and desk.cookie == ""
    desk.cookie = ours
    again = await desk.get("/redirect", query)
    assert again.status == 400 and b"opened before" in again.body
    assert sum(method == "oauth.v2.access" for method, _ in desk.slack.api.calls) == 1


async def test_who_declines_and_who_may_not_gets_a_page_that_says_so_and_no_token_stays_good(
    desk: Desk,
) -> None:
    desk.slack.api.oauth.approver = None
    assert b"access_denied" in (await desk.get("/redirect", await desk.begun())).body
    answer = await desk.install(STRANGER)
    assert answer.status == 403 and b"Strangers &amp; Sons" in answer.body
    assert desk.slack.api.oauth.good(STRANGER[0]) == [] and len(desk.connector.workspaces) == 0
    assert "script" not in answer.body.decode() and "default-src 'none'" in str(answer.headers)


async def test_a_token_is_renewed_by_one_of_two_processes_and_both_go_on(desk: Desk) -> None:
    await desk.install(ACME)
    async with opened(desk.slack, desk.there) as other:
        await other.connector.workspaces.refresh()
        desk.there.clock.ahead = timedelta(seconds=TOKEN_SECONDS - 3600)
        await asyncio.gather(desk.connector.workspaces.refresh(), other.connector.workspaces.refresh())
        renewals = [
            each for method, each in desk.slack.api.calls if each.get("grant_type") == "refresh_token"
        ]
        assert len(renewals) == 1 and len(desk.slack.api.oauth.good(ACME[0])) == 2
        desk.there.clock.ahead = timedelta(seconds=TOKEN_SECONDS + 60)
        for each in (desk, other):
            await each.connector.workspaces.refresh()
            (workspace,) = each.connector.workspaces
            assert (await workspace.web.client.auth_test())["team_id"] == ACME[0]


async def test_a_token_that_cannot_be_renewed_is_tried_again_and_told(desk: Desk) -> None:
    await desk.install(ACME)
    desk.there.clock.ahead = timedelta(seconds=TOKEN_SECONDS - 3600)
    desk.slack.api.fail("oauth.v2.access", Fault("status:503"))
    await desk.connector.workspaces.refresh()
    assert "could not be renewed" in "; ".join(desk.connector.workspaces.troubles())
    await desk.connector.workspaces.refresh()  # another may be at it
    assert "could not be renewed" in "; ".join(desk.connector.workspaces.troubles())
    desk.there.clock.ahead += timedelta(seconds=61)
    await desk.connector.workspaces.refresh()
    assert not desk.connector.workspaces.troubles()


async def test_a_workspace_that_removes_the_app_is_no_longer_answered_and_the_health_says_so(
    desk: Desk,
) -> None:
    for approver in (ACME, BETA):
        await desk.install(approver)
    await desk.connector.start()
    await eventually(lambda: desk.connector.is_caught_up)
    desk.slack.api.oauth.uninstall(BETA[0])
    ours = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}, "event_ts": "1.1"}
    await desk.tell(ours, ACME[0])
    await desk.tell({"type": "app_uninstalled", "event_ts": "1.2"}, BETA[0])
    await desk.connector.workspaces.refresh()
    health = desk.connector.health()
    assert health.state is HealthState.DEGRADED and health.detail.startswith("Beta: the app was removed")
    assert [each.team for each in desk.connector.workspaces] == [ACME[0]]
    answer = await desk.connector.sender.deliver(outbound("Hello", f"slack:{BETA[0]}:{CHANNEL}:100.1"))
    assert answer.status is ReceiptStatus.FAILED and "not installed" in answer.reason
    await desk.tell(desk.message("still there?"), BETA[0])
    told = [each for each in await desk.there.interactions() if isinstance(each, InteractionIgnored)]
    assert "not installed" in told[-1].reason
    desk.there.clock.ahead = timedelta(days=2)
    assert "Beta" not in "; ".join(desk.connector.workspaces.troubles())
    assert (await desk.install(BETA)).status == 200 and len(desk.connector.workspaces) == 2


async def test_an_event_of_a_workspace_that_installed_the_app_in_another_process_comes_again(
    desk: Desk,
) -> None:
    async with opened(desk.slack, desk.there) as other:
        await other.install(ACME)
        event = desk.message("first words")
        assert (await desk.tell(event, ACME[0])).status == 503
        assert (await desk.tell(event, ACME[0])).status == 200
    (heard,) = await desk.there.interactions()
    assert isinstance(heard, InteractionReceived) and heard.content.text == "first words"


async def test_check_says_whether_slack_knows_the_app_and_where_it_is_installed(desk: Desk) -> None:
    settings = desk.connector.settings
    found = [each async for each in check_account(settings, desk.connector.install_address)]
    assert [each.is_well for each in found] == [True, True]
    assert f"{PUBLIC}/hooks/slack/acme/install" in found[1].what
    wrong = installed_account(desk.slack, client_secret="another")
    found = [each async for each in check_account(wrong, "http://127.0.0.1/hooks/slack/acme/install")]
    assert [each.is_well for each in found] == [False, False] and "bad_client_secret" in found[0].cure


async def test_an_app_for_many_needs_a_public_address_and_says_who_may_install_it(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there:
        with pytest.raises(Invalid, match="public address"):
            SlackConnector(installed_account(slack), there.around)
        with pytest.raises(ValueError, match="anyone: true"):
            installed_account(slack, teams=[])
        with pytest.raises(ValueError, match="for one workspace, or oauth for many"):
            account(slack.api_url, oauth={"client_id": "1", "client_secret": "2", "anyone": True})


async def test_a_removal_that_is_told_after_the_app_is_back_ends_nothing(desk: Desk) -> None:
    await desk.install(ACME)
    desk.there.clock.ahead = timedelta(seconds=2)
    await desk.install(ACME)
    await desk.tell({"type": "app_uninstalled", "event_ts": "1.2"}, ACME[0])
    await desk.connector.workspaces.refresh()
    assert len(desk.connector.workspaces) == 1 and not desk.connector.workspaces.troubles()


async def test_a_workspace_that_granted_too_little_is_told_in_the_health(desk: Desk) -> None:
    desk.slack.api.scopes = "chat:write,users:read"
    await desk.install(ACME)
    await desk.connector.start()
    await eventually(lambda: "Acme: it lacks channels:history" in desk.connector.health().detail)


async def test_who_comes_back_again_and_again_costs_no_more_than_so_many_calls(desk: Desk) -> None:
    answers = [await desk.get("/redirect", "state=x&code=y") for _ in range(RETURNS.burst + 5)]
    assert [each.status for each in answers[:2]] == [400, 400] and answers[-1].status == 429
    assert not desk.slack.api.calls


STARSHIP = ("E0STARSHP", "Starship")
WHOLE = {"teams": [STARSHIP[0]]}


def by_organization(team: str) -> dict[str, Any]:
    authorization = {
        "enterprise_id": STARSHIP[0],
        "team_id": None,
        "is_bot": True,
        "is_enterprise_install": True,
    }
    return {"team_id": team, "authorizations": [authorization]}


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Desk]:
    """An app that a whole organization installs, which is in two of its workspaces."""
    async with standin() as slack, place(tmp_path) as there:
        slack.workspace.now = slack.api.oauth.now = there.clock.now
        slack.workspace.tell = lambda event: None
        slack.workspace.channel("C0ENGINES")
        slack.api.organization = {ACME[0]: (CHANNEL,), BETA[0]: (CHANNEL, "C0ENGINES")}
        async with opened(slack, there, **WHOLE) as made:
            yield made


async def test_a_whole_organization_installs_the_app_and_is_heard_and_answered_in_each_of_its_workspaces(
    bridge: Desk,
) -> None:
    page = await bridge.install(STARSHIP)
    assert page.status == 200 and b"Add it to workspaces" in page.body
    for team, _ in (ACME, BETA):
        assert (await bridge.tell(bridge.message(team), team, **by_organization(team))).status == 200
    heard = [each for each in await bridge.there.interactions() if isinstance(each, InteractionReceived)]
    assert [each.content.text for each in heard] == [ACME[0], BETA[0]]
    assert {each.conversation.split(":")[1] for each in heard} == {STARSHIP[0]}
    receipt = await bridge.connector.sender.deliver(outbound("Hello", heard[1].conversation))
    assert receipt.status is ReceiptStatus.SENT
    await bridge.connector.start()
    await eventually(lambda: bridge.connector.is_caught_up)
    assert bridge.connector.health().state is HealthState.OK


async def test_what_an_organization_wrote_meanwhile_is_read_once_though_workspaces_share_the_channel(
    bridge: Desk,
) -> None:
    await bridge.install(STARSHIP)
    await bridge.connector.start()
    await eventually(lambda: bridge.connector.is_caught_up)
    await bridge.connector.stop(1)
    for channel in (CHANNEL, "C0ENGINES"):
        bridge.slack.workspace.say(ANN, channel, f"missed in {channel}")
    async with opened(bridge.slack, bridge.there, **WHOLE) as later:
        await later.connector.start()
        await eventually(lambda: later.connector.is_caught_up)
    events = await bridge.there.interactions()
    missed = [each.content.text for each in events if isinstance(each, InteractionReceived)]
    assert sorted(missed) == ["missed in C0CUSTOMER", "missed in C0ENGINES"]


async def test_an_organization_that_added_the_app_to_no_workspace_is_told_so(bridge: Desk) -> None:
    bridge.slack.api.organization = {}
    await bridge.install(STARSHIP)
    await bridge.connector.start()
    await eventually(lambda: "in no workspace of the organization" in bridge.connector.health().detail)


async def test_an_organization_that_nobody_named_is_refused_and_its_token_given_back(desk: Desk) -> None:
    page = await desk.install(STARSHIP)
    assert page.status == 403 and b"The organization Starship (E0STARSHP) is not among" in page.body
    assert desk.slack.api.oauth.good(STARSHIP[0]) == []

"""Answers bear the agent's name and picture where the settings say so and Slack lets them; they leave in any case."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.slack.deliver import Sender
from connectors.slack.standin.server import BOT_TOKEN
from connectors.slack.standin.workspace import TEAM
from connectors.slack.web import SlackWeb
from schemas.ports import ReceiptStatus
from tests.connectors.slack.support import ANN, CHANNEL, account, outbound, place, standin
from tests.connectors.slack.test_deliver import Sending

PICTURE = "https://cdn.example.com/mia.png"


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    async with standin() as slack, place(tmp_path) as there:
        slack.request_url = "http://127.0.0.1:9/nobody"
        settings = account(slack.api_url, as_agent=True, pictures={"mia": PICTURE})
        web = SlackWeb(BOT_TOKEN, slack.api_url)
        sender = Sender(settings, TEAM, web, there.clock, there.engine.blob)
        yield Sending(sender, slack, there, slack.workspace.say(ANN, CHANNEL, "Where is it?"))
        await web.close()


async def test_an_answer_bears_the_name_and_picture_of_who_wrote_it(sending: Sending) -> None:
    await sending.sender.deliver(outbound("Here", sending.conversation))
    (posted,) = sending.slack.workspace.from_app()
    assert (posted["username"], posted["icons"]["image_64"]) == ("Mia", PICTURE)


async def test_an_automatic_answer_bears_nobodys(sending: Sending) -> None:
    await sending.sender.deliver(outbound("Here", sending.conversation, automatic=True))
    assert "username" not in sending.slack.workspace.from_app()[0]


async def test_where_slack_does_not_allow_it_the_answer_leaves_as_the_apps_once(sending: Sending) -> None:
    sending.slack.api.scopes = "chat:write"
    for name in ("first", "second"):
        receipt = await sending.sender.deliver(outbound(name, sending.conversation, name=name))
        assert receipt.status is ReceiptStatus.SENT
    assert [each.get("username") for each in sending.slack.workspace.from_app()] == [None, None]
    assert sum(method == "chat.postMessage" for method, _ in sending.slack.api.calls) == 3


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/mia.png",
        "https://ann:secret@cdn.example.com/mia.png",
        "https://127.0.0.1/mia.png",
        "https://[::1]/mia.png",
        "https://pictures.internal/mia.png",
        "https://intranet/mia.png",
        "https://cdn.example.com/a b.png",
        "javascript:alert(1)",
    ],
)
def test_a_picture_is_at_a_public_encrypted_address(url: str) -> None:
    with pytest.raises(ValidationError, match="must be at a public https:// address"):
        account("http://127.0.0.1/api/", as_agent=True, pictures={"mia": url})

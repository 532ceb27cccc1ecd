"""What an event does not hold is asked for: names of people, files; our own answers are known as ours."""

from pathlib import Path

from schemas.interactions import InteractionIgnored
from tests.connectors.slack.listening import listening, received
from tests.connectors.slack.support import (
    ANN,
    BEN,
    CHANNEL,
    place,
    standin,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def test_people_are_named_and_mentions_put_into_words(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, f"Hello <@{BEN}>, *look*")
        await slack.settled()
        (found,) = received(await there.interactions())
        assert found.content.text == "Hello @Ben, *look*" and "@Ben" in found.content.html
        assert found.sender is not None and found.sender.name == "Ann Example"


async def test_files_are_fetched_with_the_token_and_kept(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, "A photo", files=[("photo.png", PNG)])
        await slack.settled()
        (found,) = received(await there.interactions())
        (attachment,) = found.attachments
        assert (attachment.media_type, attachment.note) == ("image/png", "")
        assert attachment.blob is not None and await there.engine.blob(attachment.blob) == PNG


async def test_a_page_to_sign_in_is_not_taken_for_the_file(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.api.bot_token = "xoxb-other"  # ours is refused from now on
        slack.workspace.say(ANN, CHANNEL, "A photo", files=[("photo.png", PNG)])
        await slack.settled()
        (found,) = received(await there.interactions())
        assert found.attachments[0].blob is None and "files:read" in found.attachments[0].note


async def test_our_own_answer_comes_back_as_nothing(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.post({"channel": CHANNEL, "text": "we say"})
        await slack.settled()
        (echo,) = await there.interactions()
        assert isinstance(echo, InteractionIgnored) and echo.reason == "own echo"


async def test_a_person_who_changed_their_name_is_asked_for_again(tmp_path: Path) -> None:
    async with standin() as slack, place(tmp_path) as there, listening(slack, there):
        slack.workspace.say(ANN, CHANNEL, "one")
        await slack.settled()
        slack.workspace.person(ANN, "Ann Married")
        slack.workspace.tell(
            {"type": "user_change", "user": slack.workspace.users[ANN], "event_ts": slack.workspace.ts()}
        )
        await slack.settled()
        slack.workspace.say(ANN, CHANNEL, "two")
        await slack.settled()
        assert [each.sender.name for each in received(await there.interactions()) if each.sender] == [
            "Ann Example",
            "Ann Married",
        ]

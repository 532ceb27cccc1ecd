"""Events of Slack to interactions: what is a message, what changed one, and what is not for us."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.kit.items import Frame, NotForUs, RawItem, Unreadable
from connectors.slack.names import conversation_name, place_of, time_of
from connectors.slack.parse.envelope import item_name
from connectors.slack.parse.events import SlackContext, understanding
from connectors.slack.standin.workspace import APP, BOT_ID, BOT_USER, TEAM
from schemas.interactions import (
    BlobRef,
    InteractionDeleted,
    InteractionEdited,
    InteractionEvent,
    InteractionReaction,
    InteractionReceived,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TS, LATER = "1772445600.000100", "1772445660.000200"
FRAME = Frame(UUID(int=1), "slack", "acme", "default", NOW, BlobRef(sha256="0" * 64, size=1))
CONTEXT = SlackContext(team=TEAM)


def envelope(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    authorization = {"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}
    base = {
        "type": "event_callback",
        "team_id": TEAM,
        "api_app_id": APP,
        "event_id": "Ev1",
        "authorizations": [authorization],
    }
    return {**base, "event": event, **more}


def understood(event: dict[str, Any], context: SlackContext = CONTEXT, **more: Any) -> InteractionEvent:
    told = envelope(event, **more)
    raw = RawItem(item_name(told), json.dumps(told).encode(), NOW)
    (found,) = understanding(context)(raw, FRAME)
    return found


def message(**more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C1",
        "user": "U1",
        "text": "Hello",
        "ts": TS,
        "event_ts": TS,
        **more,
    }


def changed(before: dict[str, Any], **after: Any) -> dict[str, Any]:
    now = {**before, "edited": {"user": "U1", "ts": LATER}, **after}
    inner = {"message": now, "previous_message": before}
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "ts": LATER,
        "event_ts": LATER,
        **inner,
    }


def test_a_message_in_a_channel_begins_a_conversation_and_answers_keep_to_it() -> None:
    first = understood(message())
    answer = understood(message(ts=LATER, thread_ts=TS))
    assert isinstance(first, InteractionReceived) and isinstance(answer, InteractionReceived)
    assert first.conversation == answer.conversation == f"slack:{TEAM}:C1:{TS}"
    assert answer.parents == (first.external_id,)
    assert first.occurred_at == time_of(TS)
    assert first.may_change and first.thread_is_proven
    assert first.sender is not None and first.sender.value == f"{TEAM}/U1" and first.sender.verified


def test_a_direct_message_channel_is_one_conversation() -> None:
    assert conversation_name(TEAM, "D1", TS) == conversation_name(TEAM, "D1", LATER)
    assert place_of(conversation_name(TEAM, "D1", TS)).thread_ts is None
    assert place_of(conversation_name(TEAM, "D1", LATER, TS)).thread_ts == TS


@pytest.mark.parametrize(
    "conversation", ["mail:x", "slack:T1", "slack:T1:C1:1:2", "slack:T1:../x", "slack:T1:C1:abc"]
)
def test_what_is_no_conversation_of_slack_leads_nowhere(conversation: str) -> None:
    with pytest.raises(ValueError, match="Slack"):
        place_of(conversation)


@pytest.mark.parametrize(
    "ours", [{"bot_id": BOT_ID, "app_id": APP}, {"user": BOT_USER}, {"app_id": APP, "subtype": "bot_message"}]
)
def test_what_we_wrote_is_no_message_of_a_customer(ours: dict[str, Any]) -> None:
    with pytest.raises(NotForUs, match="own echo"):
        understood(message(**ours))


def test_our_own_ids_are_known_without_the_events_help() -> None:
    context = SlackContext(team=TEAM, own_ids={"B9"})
    with pytest.raises(NotForUs, match="own echo"):
        understood(message(bot_id="B9"), context, api_app_id="", authorizations=[])


def test_another_app_is_a_machine_that_writes() -> None:
    found = understood(
        message(bot_id="B77", app_id="A77", subtype="bot_message", username="Alerts", user=None)
    )
    assert isinstance(found, InteractionReceived)
    assert found.flags == ("auto",)
    assert found.sender is not None and found.sender.name == "Alerts"


def test_an_edit_takes_the_conversation_of_its_message() -> None:
    before = message(thread_ts="1772445000.000001")
    found = understood(changed(before, text="Hello again"))
    assert isinstance(found, InteractionEdited)
    assert found.target == f"slack:{TEAM}:C1:{TS}"
    assert found.conversation == f"slack:{TEAM}:C1:1772445000.000001"
    assert found.occurred_at == time_of(LATER)
    assert found.content.text == "Hello again"


def test_a_preview_of_a_link_is_no_edit() -> None:
    with pytest.raises(NotForUs, match="preview"):
        understood(changed(message(), attachments=[{"from_url": "https://a.example", "title": "A"}]))


def test_a_preview_after_an_edit_is_another_item_than_the_edit() -> None:
    edited = message(text="see https://a.example", edited={"user": "U1", "ts": LATER})
    preview = {**edited, "attachments": [{"from_url": "https://a.example"}]}
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "event_ts": "1772445670.000300",
    }
    told = {**event, "message": preview, "previous_message": edited}
    assert item_name(envelope(changed(message()))) != item_name(envelope(told))


def test_a_deletion_names_the_message_and_nobody() -> None:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "channel": "C1",
        "deleted_ts": TS,
        "ts": LATER,
        "event_ts": LATER,
    }
    found = understood({**event, "previous_message": message(thread_ts=TS)})
    assert isinstance(found, InteractionDeleted)
    assert (found.target, found.author) == (f"slack:{TEAM}:C1:{TS}", None)
    tombstone = understood(changed(message(), subtype="tombstone", text="This message was deleted."))
    assert isinstance(tombstone, InteractionDeleted)


def test_a_reaction_is_keyed_by_the_message_that_it_names() -> None:
    item = {"type": "message", "channel": "C1", "ts": TS}
    event = {"type": "reaction_removed", "user": "U2", "reaction": "+1", "item": item, "event_ts": LATER}
    found = understood(event)
    assert isinstance(found, InteractionReaction)
    assert (found.reaction, found.removed, found.conversation) == ("👍", True, f"slack:{TEAM}:C1:{TS}")
    assert found.author is not None and found.author.value == f"{TEAM}/U2"


def test_the_same_message_has_one_name_however_it_is_told() -> None:
    names = {
        item_name(envelope(message())),
        item_name(envelope(message(type="app_mention"), event_id="Ev2")),
        item_name({**envelope(message()), "event_id": "Ev3", "hubbub_source": "history"}),
    }
    assert len(names) == 1


def test_a_channel_that_organizations_share_is_told_to_the_account_that_is_in_it() -> None:
    guest = understood(message(user_team="T0GUEST01"), team_id="T0GUEST01", context_team_id=TEAM)
    assert isinstance(guest, InteractionReceived)
    assert guest.sender is not None and guest.sender.value == "T0GUEST01/U1"
    with pytest.raises(NotForUs, match="workspace"):
        understood(message(), team_id="T0OTHER01", context_team_id="", authorizations=[])


def test_colleagues_open_no_cases_where_only_outsiders_are_customers() -> None:
    context = SlackContext(team=TEAM, outsiders_only=True)
    with pytest.raises(NotForUs, match="colleague"):
        understood(message(), context)
    assert isinstance(understood(message(user_team="T0GUEST01"), context), InteractionReceived)


def test_channels_that_were_not_chosen_are_left_alone_and_direct_messages_are_not() -> None:
    context = SlackContext(team=TEAM, channels=frozenset({"C9"}))
    with pytest.raises(NotForUs, match="not among"):
        understood(message(), context)
    assert isinstance(understood(message(channel="D1"), context), InteractionReceived)


@pytest.mark.parametrize("body", [b"", b"[1]", b"\xff", b"{", b'{"type":"event_callback"}', b"[" * 100_000])
def test_what_is_no_event_is_unreadable_and_trips_nothing(body: bytes) -> None:
    with pytest.raises(Unreadable):
        understanding(CONTEXT)(RawItem("x", body, NOW), FRAME)


def test_a_message_that_names_no_place_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        understood(message(ts="yesterday"))


FILLED = {
    "channel": "C1",
    "channel_id": "C1",
    "user": "U1",
    "ts": TS,
    "event_ts": LATER,
    "deleted_ts": TS,
    "team_id": TEAM,
    "reaction": "eyes",
}


def filled(value: Any) -> Any:
    """The samples have empty strings for all that differs."""
    if isinstance(value, dict):
        return {
            name: FILLED.get(name, filled(each)) if not isinstance(each, dict | list) else filled(each)
            for name, each in value.items()
        }
    return [filled(each) for each in value] if isinstance(value, list) else value


def test_every_sample_is_an_event_or_a_stated_not_for_us(corpus: Callable[[str], Path]) -> None:
    outcomes: dict[str, str] = {}
    for path in sorted(corpus("slack/java-slack-sdk").glob("*.json")):
        told = filled(json.loads(path.read_text()))
        told["api_app_id"], told["authorizations"] = APP, []
        raw = RawItem(
            item_name(told) if isinstance(told.get("event"), dict) else path.stem,
            json.dumps(told).encode(),
            NOW,
        )
        try:
            (found,) = understanding(CONTEXT)(raw, FRAME)
            outcomes[path.stem] = type(found).__name__
        except (NotForUs, Unreadable) as reason:
            outcomes[path.stem] = f"{type(reason).__name__}: {reason}"
    assert len(outcomes) > 90
    unread = {name: each for name, each in outcomes.items() if each.startswith("Unreadable")}
    assert set(unread) <= {"GoodbyePayload"}, unread
    assert outcomes["MessagePayload"] == "InteractionReceived"
    assert outcomes["MessageFileSharePayload"] == "InteractionReceived"
    assert outcomes["MessageDeletedPayload"] == "InteractionDeleted"
    assert outcomes["ReactionAddedPayload"].startswith(
        ("InteractionReaction", "NotForUs: a reaction to a file")
    )
    assert outcomes["MessageChannelJoinPayload"] == "NotForUs: channel_join tells of the channel"

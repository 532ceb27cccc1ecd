"""What an event of Slack came in: its event, the workspaces it names, and the name of what it tells of."""

from collections.abc import Callable
from typing import Any

from connectors.kit.items import Unreadable
from connectors.kit.json_body import load_json
from connectors.slack.parse.blocks import Json, string


def load(body: bytes) -> dict[str, Any]:
    """The JSON object of a payload, taken out of the envelope of Socket Mode where it is in one. Raises Unreadable."""
    value = load_json(body)
    if not isinstance(value, dict):
        raise Unreadable("it is no JSON object")
    payload = value.get("payload")
    return payload if "envelope_id" in value and isinstance(payload, dict) else value


def event_of(envelope: Json) -> Json:
    event = envelope.get("event")
    if not isinstance(event, dict):
        raise Unreadable("it holds no event")
    return event


def item_name(envelope: Json) -> str:
    """The name of what an event tells of, the same whichever way and however often Slack tells it."""
    if string(envelope.get("type")) == "app_rate_limited":
        return f"rate-limited:{envelope.get('minute_rate_limited')}"
    event = event_of(envelope)
    kind, subtype = string(event.get("type")), string(event.get("subtype"))
    if kind in ("message", "app_mention"):
        name = MESSAGE_NAMES.get(subtype, _message_item)(event)
    elif kind in ("reaction_added", "reaction_removed"):
        item = part(event, "item")
        who = f"{event.get('user')}:{event.get('reaction')}:{kind}:{event.get('event_ts')}"
        name = f"{item.get('channel')}:{item.get('ts')}:{who}"
    else:
        name = f"event:{event.get('event_ts')}:{envelope.get('event_id')}"
    return name[:400]


def _message_item(event: Json) -> str:
    return f"{event.get('channel')}:{event.get('ts')}"


def _edited_item(event: Json) -> str:
    """Named by the edit. What changes later without one (a preview, a tombstone) still bears the edit before it."""
    message, before = part(event, "message"), part(event, "previous_message")
    when, earlier = _edited_at(message), _edited_at(before)
    if not when or when == earlier:
        return (
            f"{event.get('channel')}:{message.get('ts')}:changed:{event.get('event_ts') or event.get('ts')}"
        )
    return f"{event.get('channel')}:{message.get('ts')}:edited:{when}"


def part(of: Json, name: str) -> Json:
    """An object within one; empty where there is none."""
    value = of.get(name)
    return value if isinstance(value, dict) else {}


def _edited_at(message: Json) -> str:
    return string(part(message, "edited").get("ts"))


def _deleted_item(event: Json) -> str:
    return f"{event.get('channel')}:{event.get('deleted_ts')}:deleted"


MESSAGE_NAMES: dict[str, Callable[[Json], str]] = {
    "message_changed": _edited_item,
    "message_deleted": _deleted_item,
}


def authorizations(envelope: Json) -> list[Json]:
    given = envelope.get("authorizations")
    return [each for each in given[:10] if isinstance(each, dict)] if isinstance(given, list) else []


def teams_named(envelope: Json) -> list[str]:
    """The workspaces that an event names, the one through which it reached us first; the organization, where all of it installed the app.

    In a channel that organizations share an event happened in one and may come through another.
    https://docs.slack.dev/apis/slack-connect/using-slack-connect-channels
    """
    named = [string(envelope.get("context_team_id"))]
    named += [
        string(each.get("enterprise_id" if each.get("is_enterprise_install") is True else "team_id"))
        for each in authorizations(envelope)
    ]
    named.append(string(envelope.get("team_id")) or string(envelope.get("enterprise_id")))
    return [each for each in dict.fromkeys(named) if each]

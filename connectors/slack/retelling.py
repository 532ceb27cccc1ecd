"""A message of the history as the events that told of it, so that what came twice is known."""

from connectors.slack.names import TS
from connectors.slack.parse.blocks import Json, string
from connectors.slack.parse.envelope import part


def events_after(edge: str, message: Json, channel: str, team: str) -> list[Json]:
    """The message itself and its last edit, in the envelopes of events; nothing where neither is later than `edge`."""
    ts, edited_at = string(message.get("ts")), string(part(message, "edited").get("ts"))
    if not TS.fullmatch(ts) or max(ts, edited_at) <= edge:
        return []
    base = {"type": "event_callback", "team_id": team, "hubbub_source": "history"}
    found: list[Json] = []
    if ts > edge:
        found.append({**base, "event": {**message, "type": "message", "channel": channel, "event_ts": ts}})
    if TS.fullmatch(edited_at):
        changed = {
            "type": "message",
            "subtype": "message_changed",
            "channel": channel,
            "message": {**message, "type": "message"},
            "event_ts": edited_at,
        }
        found.append({**base, "event": changed})
    return found

"""What happened to a case, each step as one quiet sentence of its conversation."""

from datetime import datetime

from hub.console.telling import Telling, actor_name
from schemas.documents import Entry
from schemas.outbound import DeliveryState

TOLD_LATER = frozenset({DeliveryState.FAILED, DeliveryState.BOUNCED})
"""What may come long after the answer, so that a line of its own says when."""
TIMES = ("until", "due_at")
QUIET_STEPS = frozenset({"send-released"})
CHANGE_ASKED = "change-asked"


def delivery_words(entry: Entry, telling: Telling) -> str:
    """Only what went wrong; that an answer was sent stands at the answer itself, and of a change where it was asked for."""
    if entry.delivery not in TOLD_LATER or entry.detail.get("change"):
        return ""
    reason = telling.words.t.said(entry.delivery_reason) or telling.words.t("delivery.no-reason")
    return telling.words.t(f"step.delivery-{entry.delivery}", reason=reason)


def step_words(entry: Entry, telling: Telling) -> str:
    """One quiet sentence."""
    if entry.step in QUIET_STEPS:
        return ""
    t = telling.words.t
    values = {name: _value(name, value, telling) for name, value in entry.detail.items()}
    key = f"step.{entry.step}"
    if entry.step == "assigned" and not entry.detail.get("assignee"):
        key = "step.released"
    if entry.step == "routed" and entry.detail.get("priority") == "normal":
        key = "step.routed-plain"
    if entry.step == "message-reacted" and entry.detail.get("added") is False:
        key = "step.message-unreacted"
    if entry.step == "message-hidden" and entry.detail.get("hidden") is False:
        key = "step.message-shown"
    if entry.step == CHANGE_ASKED:
        if entry.delivery is DeliveryState.SENT:
            return ""
        key = f"step.change-asked-{entry.detail.get('kind')}"
    if entry.step == "tagged":
        values["tags"] = _tags(entry)
    values["actor"] = actor_name(entry.actor, telling)
    if key not in t:
        return t("step.other", step=entry.step, actor=values["actor"])
    return t(
        key,
        **{
            "queue": "",
            "priority": "",
            "automation": "",
            "due_at": "",
            "until": "",
            "assignee": "",
            "emoji": "",
            "reason": "",
            **values,
        },
    )


def _tags(entry: Entry) -> str:
    added, removed = entry.detail.get("added"), entry.detail.get("removed")
    parts = [f"+{tag}" for tag in added] if isinstance(added, list) else []
    parts += [f"−{tag}" for tag in removed] if isinstance(removed, list) else []
    return ", ".join(parts)


def _value(name: str, value: object, telling: Telling) -> str:
    if not isinstance(value, str):
        return ""
    if name in TIMES:
        return telling.words.when(datetime.fromisoformat(value)).words
    if name == "queue":
        return telling.queue_title(value)
    if name == "priority":
        return telling.words.t.either(f"priority.{value}", value)
    if name == "reason":
        return telling.words.t.said(value)
    if name == "assignee":
        face = telling.faces.agent(value)
        return face.name if face else value
    return value

"""The command that each action of an automation asks for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from schemas.commands import (
    AnswerFromTemplate,
    Command,
    NotifyOutside,
    PrioritizeCase,
    ScheduleAutomation,
    TagCase,
    TransferCase,
)
from schemas.configuration import (
    Action,
    Answer,
    Move,
    NotifyMail,
    NotifyWebhook,
    Schedule,
    SetPriority,
    Setting,
    Tag,
)
from schemas.documents import Entry
from schemas.events import Actor, Event


def _answer(action: Answer, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    interaction = entry.id if entry is not None else None
    return AnswerFromTemplate(case=case, actor=actor, template=action.template, interaction=interaction)


def _tag(action: Tag, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    return TagCase(case=case, actor=actor, add=action.add, remove=action.remove)


def _priority(action: SetPriority, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    return PrioritizeCase(case=case, actor=actor, priority=action.priority)


def _move(action: Move, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    return TransferCase(case=case, actor=actor, queue=action.queue)


def _webhook(action: NotifyWebhook, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    return NotifyOutside(case=case, actor=actor, endpoint=action.endpoint, about=event.id)


def _mail(action: NotifyMail, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    return NotifyOutside(case=case, actor=actor, to=action.to, template=action.template, about=event.id)


def _schedule(action: Schedule, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    due_at = event.time + timedelta(minutes=action.minutes)
    return ScheduleAutomation(case=case, actor=actor, automation=action.automation, due_at=due_at)


COMMANDS: dict[type[Setting], Callable[[Any, Event, UUID, Actor, Entry | None], Command]] = {
    Answer: _answer,
    Tag: _tag,
    SetPriority: _priority,
    Move: _move,
    NotifyWebhook: _webhook,
    NotifyMail: _mail,
    Schedule: _schedule,
}


def command(action: Action, event: Event, case: UUID, actor: Actor, entry: Entry | None) -> Command:
    """What the action asks of the case, in answer to the event."""
    return COMMANDS[type(action)](action, event, case, actor, entry)

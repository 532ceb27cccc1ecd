"""What automations did, and what they left undone and why."""

from typing import ClassVar
from uuid import UUID

from schemas.events import Payload, event_type
from schemas.topics import Topic


class AutomationEvent(Payload):
    topic: ClassVar[Topic] = Topic.AUTOMATION

    automation: str
    case: UUID
    event: UUID


@event_type
class AutomationFired(AutomationEvent):
    type: ClassVar[str] = "hubbub.automation.fired"

    actions: tuple[str, ...]


@event_type
class AutomationSuppressed(AutomationEvent):
    """The condition held and yet nothing was done: a loop, a machine at the other end, or too often."""

    type: ClassVar[str] = "hubbub.automation.suppressed"

    reason: str

"""What the lines of a conversation are told with, and how somebody is called in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from hub.console.faces import Faces
from hub.console.words import Words
from schemas.capabilities import Capabilities
from schemas.events import Actor

NOTHING = Capabilities()
QueueTitle = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Telling:
    """What lines are told with."""

    words: Words
    faces: Faces
    queue_title: QueueTitle
    files: str
    """The address of the case, below which its files have theirs; they are served from the origin of files."""
    offered: Capabilities = NOTHING
    """What the channel of the case can do with answers that left by it."""
    channel: str = ""
    able: Mapping[str, Capabilities] = field(default_factory=dict)
    """`channel:account` -> what it can do, for messages that came or left by another account than the case's."""
    sign: Callable[[UUID, str], str] = lambda _entry, _sha256: ""
    """Where a file of an entry is shown, for some minutes."""


def actor_name(actor: Actor, telling: Telling) -> str:
    t = telling.words.t
    if actor.kind == "agent":
        return actor.name or telling.faces.agents.get(actor.id) or actor.id
    if actor.kind == "automation":
        return t("actor.automation", id=actor.name or actor.id)
    if actor.kind == "customer":
        return actor.name or t("actor.customer")
    return actor.name or t("actor.system")

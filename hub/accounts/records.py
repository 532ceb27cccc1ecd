"""How account documents are read and written: by compare-and-set, with the audit event in the same step."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from schemas.documents import Document
from schemas.errors import Conflict
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.parking import Audited
from schemas.ports import Engine
from schemas.steps import References

ATTEMPTS = 10
LONGEST_PAUSE_SECONDS = 0.05
"""Apart by chance, so that those who met once do not meet again."""

D = TypeVar("D", bound=Document)
T = TypeVar("T")


async def load(engine: Engine, document: type[D], id: UUID) -> D | None:
    found = (await engine.load(References(documents={document: {id}}))).documents.get(id)
    return found if isinstance(found, document) else None


def created(document: Document) -> tuple[Document, int]:
    """A new document as a step takes it; Conflict when its id is taken."""
    return document.model_copy(update={"revision": 1}), 0


def changed(document: Document, changes: Mapping[str, object]) -> tuple[Document, int]:
    """A document with changes, decided on the revision that it was loaded at."""
    return document.model_copy(update={**changes, "revision": document.revision + 1}), document.revision


def audited(
    now: datetime, actor: Actor, action: str, subject: str = "", detail: dict[str, str] | None = None
) -> Event:
    """An audit event. Its id is random: two attempts that look alike are two facts."""
    id = derive("audit", action, secrets.token_hex(16))
    return Event(
        id=id,
        key=actor.id,
        time=now,
        data=Audited(actor=actor, action=action, subject=subject, detail=detail or {}),
        source="/hub/accounts",
        correlation=id,
    )


async def decided_again(attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of a read-decide-write, decided again when somebody else wrote first."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt()
        except Conflict:
            await asyncio.sleep(random.SystemRandom().uniform(0, LONGEST_PAUSE_SECONDS))
    return await attempt()

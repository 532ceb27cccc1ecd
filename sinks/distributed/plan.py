"""A step of the port, worked out: what it must hold to be decided, and what is then written, whoever writes it.

What is written is plain data (`Redo`), kept as bytes, so that another process, of another version too, can finish a step that
was decided.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bson

from schemas.collections import BY_DOCUMENT
from schemas.documents import Document
from schemas.errors import Conflict, Never
from schemas.steps import Step
from sinks.kafka.codec import Message
from sinks.kafka.offsets import from_position, sortable
from sinks.mongo.consumers import outcome_writes
from sinks.mongo.documents import to_fields
from sinks.mongo.entries import Writes, change_writes, entry_writes
from sinks.mongo.layout import ENTRIES, OUTCOMES, POSITIONS, SEARCH
from sinks.mongo.port import Fields
from sinks.mongo.search import search_writes
from sinks.mongo.values import short_hash


@dataclass(frozen=True, slots=True)
class Hold:
    """One document that the step changes. `counter` must be `expected`; 0: it must not be there. None: whatever is there."""

    collection: str
    id: str
    counter: str
    expected: int | None
    fresh: Fields
    """What is in it beside the counter while it is only held."""
    told: str
    """How a conflict begins; `{}` is the counter as it is."""


@dataclass(slots=True)
class Redo:
    """What a decided step writes, in this order. All of it can be done again without another effect."""

    states: dict[str, list[tuple[str, Fields]]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)
    writes: list[tuple[str, Writes, bool]] = field(default_factory=list)
    """Collection, upserts or updates, and whether what is not there is made."""
    messages: list[Message] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    positions: list[tuple[str, int]] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    """Steps whose events come before these on the log, and are not there yet."""

    def to_bytes(self) -> bytes:
        plain = {
            "states": self.states,
            "gone": self.gone,
            "writes": self.writes,
            "messages": [(each.topic, each.key, each.value, each.headers) for each in self.messages],
            "claims": self.claims,
            "positions": self.positions,
            "behind": self.behind,
        }
        return bson.encode(plain)

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Redo":
        try:
            plain: Mapping[str, Any] = bson.decode(kept)
            return cls(
                {name: [(id, fields) for id, fields in each] for name, each in plain["states"].items()},
                dict(plain["gone"]),
                [
                    (name, [(filter, change) for filter, change in writes], upsert)
                    for name, writes, upsert in plain["writes"]
                ],
                [
                    Message(topic, key, value, [(name, content) for name, content in headers])
                    for topic, key, value, headers in plain["messages"]
                ],
                list(plain["claims"]),
                [(id, offset) for id, offset in plain["positions"]],
                list(plain.get("behind", ())),
            )
        except (bson.errors.BSONError, KeyError, TypeError, ValueError) as error:
            raise Never(f"a decided step cannot be read: {error}") from error


@dataclass(slots=True)
class Plan:
    holds: list[Hold]
    claims: dict[str, str]
    """Hash of a reference -> its owner."""
    references: dict[str, str]
    """Hash -> the reference, for what a conflict tells."""
    redo: Redo

    @property
    def is_published_only(self) -> bool:
        redo = self.redo
        return not (self.holds or self.claims or redo.writes)

    @property
    def single(self) -> Hold | None:
        """The one document that is all that the step writes."""
        redo = self.redo
        if len(self.holds) != 1 or self.claims or redo.writes or redo.messages or redo.positions:
            return None
        return self.holds[0]


def make_plan(step: Step, messages: Sequence[Message], number: Callable[[], int]) -> Plan:
    """Raises Conflict where the step contradicts itself."""
    redo = Redo(messages=list(messages))
    holds = _document_holds(step.documents, redo, number)
    holds += _remade_holds(step.remade, redo)
    held = {(each.collection, each.id) for each in holds}
    for kind, id in step.deletions:
        name = BY_DOCUMENT[kind].name
        redo.gone.setdefault(name, []).append(str(id))
        if (name, str(id)) not in held:
            holds.append(Hold(name, str(id), "revision", None, {}, ""))
    holds += _position_holds(step, redo)
    claims = {short_hash(reference): str(owner) for reference, owner in step.claims.items()}
    redo.claims = sorted(claims)
    for name, writes, upsert in (
        (ENTRIES, entry_writes(step.entries, number), True),
        (ENTRIES, change_writes(step.changes), False),
        (OUTCOMES, outcome_writes(step.outcomes, sortable, number), True),
        (SEARCH, search_writes(step.search, number), True),
    ):
        if writes:
            redo.writes.append((name, writes, upsert))
    return Plan(holds, claims, {short_hash(each): each for each in step.claims}, redo)


def _document_holds(
    documents: Iterable[tuple[Document, int]], redo: Redo, number: Callable[[], int]
) -> list[Hold]:
    """One hold a document, at the revision that the first change was decided on; the last change is written.

    A document is stored at the revision that it carries, if that is above the one decided on, else at one more than that.
    """
    holds: dict[tuple[str, str], Hold] = {}
    latest: dict[tuple[str, str], Document] = {}
    for document, expected in documents:
        name, id = BY_DOCUMENT[type(document)].name, str(document.id)
        before = latest.get((name, id))
        if before is None:
            told = f"{name}: {id} is at revision {{}}, the step was decided on {expected}"
            holds[name, id] = Hold(name, id, "revision", expected, {"n": number()}, told)
        elif before.revision != expected:
            raise Conflict(
                f"{name}: {id} is at revision {before.revision}, the step was decided on {expected}"
            )
        revision = max(document.revision, expected + 1)
        latest[name, id] = (
            document if document.revision == revision else document.model_copy(update={"revision": revision})
        )
    for (name, id), document in latest.items():
        redo.states.setdefault(name, []).append((id, to_fields(document)))
    return list(holds.values())


def _remade_holds(documents: Iterable[Document], redo: Redo) -> list[Hold]:
    """One hold a document, at the revision that it carries and keeps."""
    holds = []
    for document in documents:
        name, id = BY_DOCUMENT[type(document)].name, str(document.id)
        told = f"{name}: {id} is at revision {{}}, and not at {document.revision} any more"
        holds.append(Hold(name, id, "revision", document.revision, {}, told))
        redo.states.setdefault(name, []).append((id, to_fields(document)))
    return holds


def _position_holds(step: Step, redo: Redo) -> list[Hold]:
    """One hold for each partition in which the consumer moves."""
    if step.consumer is None or step.position is None:
        return []
    before, position = from_position(step.before), from_position(step.position)
    holds = []
    for (topic, partition), offset in position.items():
        expected = before.get((topic, partition), 0)
        if offset == expected:
            continue
        name = f"{topic}:{partition}"
        id = f"{step.consumer}|{name}"
        told = f"consumer {step.consumer} stands at {name}:{{}}, the step was decided at {expected}"
        fresh = {"consumer": step.consumer, "partition": name}
        holds.append(Hold(POSITIONS, id, "offset", expected, fresh, told))
        redo.positions.append((id, offset))
    return holds

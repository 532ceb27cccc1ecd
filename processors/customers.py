"""A customer is the set of handles that links connect now, resolved when read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from schemas.documents import Handle
from schemas.steps import Found, References

MOST_HANDLES = 200


@dataclass(frozen=True, slots=True)
class Customer:
    """`id` is the handle seen first; `attributes` are those of all handles, the later seen handle's over the earlier's."""

    id: UUID
    handles: tuple[Handle, ...]
    attributes: Mapping[str, str]

    @property
    def name(self) -> str:
        return next((handle.name for handle in self.handles if handle.name), self.handles[0].value)


def handle_wants(found: Found, handles: Iterable[UUID]) -> References:
    """The handles linked to these that are not loaded yet. Empty when all are there."""
    references = References()
    for id in _connected(handles, found):
        if id not in found.documents:
            references.want(Handle, id)
    return references


def customer_of(handle: UUID, found: Found) -> Customer:
    """The customer of a handle, from the handles in `found`. Raises KeyError when the handle is not there."""
    known = [found.documents[id] for id in _connected((handle,), found) if id in found.documents]
    handles = sorted(
        (each for each in known if isinstance(each, Handle)), key=lambda each: (each.first_seen_at, each.id)
    )
    if not handles:
        raise KeyError(handle)
    attributes: dict[str, str] = {}
    for each in handles:
        attributes.update(each.attributes)
    return Customer(handles[0].id, tuple(handles), attributes)


def _connected(start: Iterable[UUID], found: Found) -> list[UUID]:
    reached = dict.fromkeys(start)
    frontier = list(reached)
    while frontier and len(reached) < MOST_HANDLES:
        document = found.documents.get(frontier.pop())
        if not isinstance(document, Handle):
            continue
        for link in document.links:
            if link.other not in reached:
                reached[link.other] = None
                frontier.append(link.other)
    return list(reached)

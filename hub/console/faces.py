"""The names of people: agents by user name, customers by handle."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from schemas.accounts import Principal, User, user_id
from schemas.documents import Case, Handle
from schemas.ports import Engine
from schemas.steps import References

INITIALS = 2


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody of the team."""

    user: str
    name: str
    is_me: bool

    @property
    def initials(self) -> str:
        return initials(self.name)


def initials(name: str) -> str:
    words = [word for word in name.partition(" (")[0].replace("@", " ").split() if word[0].isalnum()]
    return (
        "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))[:INITIALS].upper()
        or "?"
    )


@dataclass(frozen=True, slots=True)
class Faces:
    """Who is who on one page."""

    me: str
    agents: Mapping[str, str]
    customers: Mapping[UUID, str]

    def agent(self, user: str | None) -> Face | None:
        return Face(user, self.agents.get(user) or user, user == self.me) if user else None

    def customer(self, handle: UUID) -> str:
        return self.customers.get(handle, "")


async def faces(
    engine: Engine, principal: Principal, cases: Iterable[Case], users: Iterable[str] = ()
) -> Faces:
    """All names that these cases and users need, in one look."""
    cases = list(cases)
    wanted = {case.assignee for case in cases if case.assignee} | set(users)
    references = References()
    for user in wanted:
        references.want(User, user_id(user))
    for case in cases:
        references.want(Handle, case.handle)
    found = await engine.load(references) if references else None
    documents = list(found.documents.values()) if found else []
    agents = {each.name: each.title for each in documents if isinstance(each, User)}
    customers = {each.id: each.name or each.value for each in documents if isinstance(each, Handle)}
    return Faces(principal.id, {**agents, principal.id: principal.name or principal.id}, customers)

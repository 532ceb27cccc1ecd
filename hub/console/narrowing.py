"""What a list over all queues is narrowed to, as its address says it: so every filter is a link."""

from dataclasses import dataclass
from uuid import UUID

from starlette.datastructures import FormData, QueryParams

from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.saved_views import ViewFilter

STATES = (CaseState.OPEN, CaseState.WAITING, CaseState.SNOOZED, CaseState.RESOLVED, CaseState.SPAM)
FIELDS = ("queues", "states", "assignee", "priorities", "overdue", "view")
LONGEST = 500
MOST = 50


@dataclass(frozen=True, slots=True)
class Narrow:
    """`view` is the saved view that it was opened from."""

    queues: tuple[str, ...] = ()
    states: tuple[CaseState, ...] = ()
    assignee: str = ""
    priorities: tuple[Priority, ...] = ()
    overdue: bool = False
    view: str = ""

    @property
    def filters(self) -> bool:
        return bool(self.queues or self.states or self.assignee or self.priorities or self.overdue)

    def query(self) -> dict[str, str]:
        said = {
            "queues": ",".join(self.queues),
            "states": ",".join(self.states),
            "assignee": self.assignee,
            "priorities": ",".join(self.priorities),
            "overdue": "1" if self.overdue else "",
            "view": self.view,
        }
        return {name: value for name, value in said.items() if value}

    def saved(self, sort: str) -> ViewFilter:
        return ViewFilter(
            queues=self.queues,
            states=self.states,
            assignee=self.assignee,
            priorities=self.priorities,
            overdue=self.overdue,
            sort=sort,
        )


NOTHING = Narrow()


def of_filter(filter: ViewFilter, view: UUID) -> Narrow:
    return Narrow(filter.queues, filter.states, filter.assignee, filter.priorities, filter.overdue, str(view))


def of_query(query: QueryParams | FormData) -> Narrow:
    """What is none of the choices is left out. A form says several by several fields of a name, an address by commas."""
    if not any(name in query for name in FIELDS):
        return NOTHING
    said = {name: _listed(query, name) for name in FIELDS}
    states, priorities = set(said["states"]), set(said["priorities"])
    return Narrow(
        queues=tuple(dict.fromkeys(said["queues"])),
        states=tuple(each for each in STATES if each in states),
        assignee="".join(said["assignee"][:1]),
        priorities=tuple(each for each in Priority if each in priorities),
        overdue=bool(said["overdue"]),
        view=_view(said["view"]),
    )


def _listed(query: QueryParams | FormData, name: str) -> list[str]:
    text = ",".join(str(each) for each in query.getlist(name))[:LONGEST]
    return [each for each in text.split(",")[:MOST] if each]


def _view(said: list[str]) -> str:
    try:
        return str(UUID(said[0])) if said else ""
    except ValueError:
        return ""

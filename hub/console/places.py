"""Where an agent looks: a view over all queues, or one queue. Each has an address and a filter."""

from dataclasses import dataclass, replace
from json import dumps
from urllib.parse import urlencode

from hub.case_lists import OPEN_STATES, SORTS, CaseFilter
from hub.console.narrowing import NOTHING, Narrow
from schemas.cases import CaseState
from schemas.errors import Unknown
from schemas.saved_views import ME, NOBODY
from schemas.sentences import said

ROOT = "/console"
DEFAULT_SORT = "waiting"

ICONS = {
    "mine": "user-check",
    "unassigned": "hand",
    "all": "layers",
    "overdue": "hourglass",
    "snoozed": "alarm-clock",
    "resolved": "circle-check",
    "spam": "ban",
}
VIEWS = ("mine", "unassigned", "all", "overdue", "snoozed", "resolved")
SHOWS = ("all", "unassigned", "mine", "snoozed", "resolved", "spam")
"""What a queue's list may be narrowed to."""

STATES: dict[str, tuple[CaseState, ...]] = {
    "snoozed": (CaseState.SNOOZED,),
    "resolved": (CaseState.RESOLVED,),
    "spam": (CaseState.SPAM,),
}
NEWEST_FIRST = frozenset({"resolved", "spam"})


@dataclass(frozen=True, slots=True)
class Place:
    """`queue` is None in a view over all queues; `show` then names the view."""

    queue: str | None
    show: str
    sort: str
    narrow: Narrow = NOTHING
    """Of the view over all queues."""

    @property
    def key(self) -> str:
        """As the rail calls it."""
        return self.queue or (f"view-{self.narrow.view}" if self.narrow.view else self.show)

    @property
    def path(self) -> str:
        return f"{ROOT}/queues/{self.queue}" if self.queue else f"{ROOT}/views/{self.show}"

    @property
    def url(self) -> str:
        return self.path + self.query()

    def query(self, **more: str) -> str:
        """The query string that keeps what was chosen."""
        chosen: dict[str, str] = {}
        if self.queue and self.show != "all":
            chosen["show"] = self.show
        if self.sort != self.usual_sort:
            chosen["sort"] = self.sort
        chosen |= self.narrow.query()
        chosen |= {name: value for name, value in more.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    def case_url(self, number: str, **more: str) -> str:
        return f"{self.path}/{number}{self.query(**more)}"

    def showing(self, show: str) -> "Place":
        return place(self.queue, show)

    def sorted_by(self, sort: str) -> "Place":
        return replace(self, sort=sort)

    @property
    def usual_sort(self) -> str:
        return "newest" if self.show in NEWEST_FIRST else DEFAULT_SORT

    def filter(self, user: str) -> CaseFilter:
        narrow = self.narrow
        named = narrow.assignee if narrow.assignee not in ("", ME, NOBODY) else None
        return CaseFilter(
            queue=self.queue,
            queues=narrow.queues,
            states=narrow.states or STATES.get(self.show, OPEN_STATES),
            assignee=user if self.show == "mine" or narrow.assignee == ME else named,
            unassigned=self.show == "unassigned" or narrow.assignee == NOBODY,
            priorities=narrow.priorities,
            overdue=self.show == "overdue" or narrow.overdue,
            sort=self.sort,
        )

    def wanted(self, user: str) -> str:
        """The filter as JSON, for the script that says what came to the list."""
        wanted = self.filter(user)
        return dumps(
            {
                "queues": [wanted.queue] if wanted.queue else wanted.queues,
                "states": wanted.states,
                "assignee": wanted.assignee,
                "unassigned": wanted.unassigned,
                "priorities": wanted.priorities,
                "overdue": wanted.overdue,
            }
        )


def place(queue: str | None, show: str = "", sort: str = "", narrow: Narrow = NOTHING) -> Place:
    """Raises Unknown for what is no view, and takes the usual order for an order that is not known."""
    known = SHOWS if queue else VIEWS
    show = show or "all"
    if show not in known:
        raise Unknown(said("there is no view {show!r}", show=show))
    made = Place(queue, show, DEFAULT_SORT, narrow if not queue and show == "all" else NOTHING)
    return replace(made, sort=sort if sort in SORTS else made.usual_sort)

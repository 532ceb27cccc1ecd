"""What may be read: queues, cases, people and the log.

Every read filters by the principal in the query; what may not be seen does not exist (`Unknown`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from hub.allowed import must_read_log, visible_queues
from hub.case_lists import SORTS, CaseFilter, where_of
from hub.company import Company
from hub.shown import shown
from processors.customers import Customer, customer_of, handle_wants
from processors.routing_explanation import Explanation, explain_decision
from schemas.accounts import Principal
from schemas.case_work import CaseRouted
from schemas.cases import RoutingDecision
from schemas.collections import CASES
from schemas.documents import Case, Entry, EntryKind, Handle
from schemas.errors import Invalid, Unknown
from schemas.ids import parse_case_number
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import START, Hit, Page, Position, Query, QueueCount, Record, References
from schemas.topics import Topic

PAGE_LIMIT = 200
EVENTS_A_SCAN = 200
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as an agent sees it in the rail."""

    name: str
    title: str
    brand: str | None
    count: QueueCount


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A person: the handles linked now, what is known, and their cases (those that the principal may see)."""

    customer: Customer
    cases: Sequence[Case] = field(default=())


class Queries:
    def __init__(self, engine: Engine, clock: Clock, company: Company) -> None:
        self.engine = engine
        self.clock = clock
        self.company = company

    # -- queues and cases -------------------------------------------------------------------------------------------

    async def queues(self, principal: Principal) -> list[QueueView]:
        """The principal's queues in the order of the configuration, with live counts.

        A queue that is configured no more stands at the end for as long as cases wait in it: nobody else would see them.
        """
        visible = visible_queues(principal)
        counts = {each.queue: each for each in await self.engine.tally(visible, self.clock.now())}
        configured = self.company.current.configuration.queues
        return [
            QueueView(queue.name, queue.title, queue.brand, counts.get(queue.name, QueueCount(queue.name)))
            for queue in configured
            if visible is None or queue.name in visible
        ] + [
            QueueView(name, name, None, count)
            for name, count in counts.items()
            if name and not self.company.has_queue(name) and (count.open or count.snoozed)
        ]

    async def cases(
        self, principal: Principal, wanted: CaseFilter, limit: int = 50, after: str | None = None
    ) -> Page[Case]:
        where = where_of(principal, wanted, self.clock.now())
        if wanted.sort not in SORTS:
            raise Invalid("sort is not known", {"sort": said("use one of {names}", names=", ".join(SORTS))})
        query = Query(CASES, where, SORTS[wanted.sort], min(limit, PAGE_LIMIT), after)
        page = await self.engine.find(query)
        return Page([each for each in page.items if isinstance(each, Case)], page.next)

    async def count(self, principal: Principal, wanted: CaseFilter) -> int:
        """How many cases `cases` would list in all."""
        return await self.engine.count(Query(CASES, where_of(principal, wanted, self.clock.now())))

    async def case(self, principal: Principal, reference: UUID | str) -> Case:
        """A case by id or by number. Raises Unknown when it is not there or not in the principal's queues.

        What was merged into a case is read by who reads that one, too.
        """
        id = reference if isinstance(reference, UUID) else await self._by_number(reference)
        case = await self._stored(id)
        read_in = case
        while read_in is not None and principal.role_in(read_in.queue) is None:
            read_in = await self._stored(read_in.merged_into) if read_in.merged_into else None
        if case is None or read_in is None:
            raise Unknown("there is no such case, or it is in a queue that you do not read")
        return case

    async def _stored(self, id: UUID) -> Case | None:
        case = (await self.engine.load(References(documents={Case: {id}}))).documents.get(id)
        return case if isinstance(case, Case) else None

    async def timeline(
        self,
        principal: Principal,
        case: Case,
        limit: int = 50,
        after: str | None = None,
        kinds: Sequence[EntryKind] = (),
    ) -> Page[Entry]:
        """Entries of a case that the principal reads (`case`) and of those merged into it, newest first."""
        page = await self.engine.timeline(
            cases=[case.id, *case.absorbed], kinds=kinds, limit=limit, after=after
        )
        items = list(page.items)
        # What it was split off with is older than all that it has of its own.
        if case.brought and page.next is None:
            items += await self._brought(case, kinds, {each.id for each in items})
        return Page(await shown(self.engine, items), page.next)

    async def _brought(self, case: Case, kinds: Sequence[EntryKind], known: set[UUID]) -> list[Entry]:
        found = (await self.engine.load(References(entries=set(case.brought) - known))).entries.values()
        own = {case.id, *case.absorbed}
        brought = [each for each in found if each.case not in own and (not kinds or each.kind in kinds)]
        return sorted(brought, key=lambda each: (each.received_at, each.sequence), reverse=True)

    async def explain(self, principal: Principal, case: Case) -> Explanation:
        """Why the case is where it is, in plain sentences, clause by clause."""
        decision = await self._decision(case)
        if decision is None:
            raise Unknown("the case was not routed yet")
        version = await self.company.version(decision.configuration)
        return explain_decision(decision, version.configuration)

    async def _decision(self, case: Case) -> RoutingDecision | None:
        """The last decision about the case, from its own events."""
        decision, position = None, START
        while True:
            records = await self.engine.scan((Topic.CASES,), position, EVENTS_A_SCAN, key=str(case.id))
            for record in records:
                if record.event is not None and isinstance(record.event.data, CaseRouted):
                    decision = record.event.data.decision
            if len(records) < EVENTS_A_SCAN:
                return decision
            position = records[-1].position

    async def search(
        self, principal: Principal, words: str, limit: int = 20, after: str | None = None
    ) -> Page[Hit]:
        return await self.engine.search(words, visible_queues(principal), min(limit, PAGE_LIMIT), after)

    async def _by_number(self, text: str) -> UUID:
        number = parse_case_number(text)
        if number is None:
            raise Unknown(said("{text!r} is not a case number", text=text))
        found = await self.engine.load(References(numbers={number}))
        if number not in found.numbers:
            raise Unknown("there is no such case, or it is in a queue that you do not read")
        return found.numbers[number]

    # -- people -----------------------------------------------------------------------------------------------------

    async def customer(self, principal: Principal, handle: UUID, limit: int = 50) -> CustomerView:
        """The person that a handle belongs to now. Only for who may see one of their cases."""
        customer = await self.customer_by_handle(handle)
        handles = tuple(each.id for each in customer.handles)
        page = await self.cases(principal, CaseFilter(handles=handles, states=(), sort="newest"), limit)
        if not page.items and principal.queues() is not None:
            raise Unknown("there is no such person, or none of their cases is in your queues")
        return CustomerView(customer, page.items)

    async def customer_by_handle(self, handle: UUID) -> Customer:
        found = await self.engine.load(References(documents={Handle: {handle}}))
        for _ in range(20):  # links are followed in rounds; a person has few handles
            wants = handle_wants(found, {handle})
            if not wants:
                break
            more = await self.engine.load(wants)
            if not more.documents:
                break
            found.documents.update(more.documents)
        try:
            return customer_of(handle, found)
        except KeyError:
            raise Unknown("there is no such person, or none of their cases is in your queues") from None

    async def customer_timeline(
        self,
        principal: Principal,
        customer: Customer,
        limit: int = 50,
        after: str | None = None,
        channel: str | None = None,
    ) -> Page[Entry]:
        """All entries of all handles of the person over all channels, newest first."""
        page = await self.engine.timeline(
            handles=[each.id for each in customer.handles],
            queues=visible_queues(principal),
            channel=channel,
            limit=limit,
            after=after,
        )
        return Page(await shown(self.engine, page.items), page.next)

    # -- the log ----------------------------------------------------------------------------------------------------

    async def events(
        self,
        principal: Principal,
        topics: Sequence[Topic],
        after: Position,
        limit: int,
        key: str | None = None,
    ) -> Sequence[Record]:
        """Records of the log. The log is not filtered by queue, so it needs the scope `events` and every queue."""
        must_read_log(principal)
        return await self.engine.scan(topics, after, min(limit, 1000), key)

    async def position_at(self, principal: Principal, moment: datetime) -> Position:
        """From where on the log to read what was recorded since a time; a little from before it may come too."""
        must_read_log(principal)
        return await self.engine.position_at(moment - CLOCKS_DIFFER)

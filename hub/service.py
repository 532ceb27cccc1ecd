"""What the hub does for those who ask: the one way from the HTTP API, the console and the command line to the state.

Every read filters by the principal in the query; what may not be seen does not exist (`Unknown`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from connectors.kit.writing import Writer
from hub.allowed import must_command, must_read_log, must_start, visible_queues
from hub.case_lists import SORTS, CaseFilter, where_of
from hub.company import Company
from hub.deciding import Deciding
from hub.shown import shown
from processors.customers import Customer, customer_of, handle_wants
from processors.routing_explanation import Explanation, explain_decision
from schemas.accounts import ANY_QUEUE, Principal, User, user_id
from schemas.capabilities import Capabilities, FileLimits
from schemas.cases import CaseRouted, RoutingDecision
from schemas.collections import CASES
from schemas.commands import AssignCase, Command, MergeCase, StartCase
from schemas.documents import Case, Entry, EntryKind, Handle
from schemas.errors import Invalid, Unknown
from schemas.events import Actor, Event
from schemas.ids import parse_case_number
from schemas.outbound import OutboundMessage
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


def actor_of(principal: Principal) -> Actor:
    kind = {"agent": "agent", "key": "integrator"}.get(principal.kind, "system")
    return Actor(kind=kind, id=principal.id, name=principal.name)


class Service:
    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        company: Company,
        deciding: Deciding,
        writers: Mapping[str, Writer] | None = None,
        brands: Mapping[str, str] | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.company = company
        self._deciding = deciding
        self.capabilities: Mapping[str, Capabilities] = deciding.capabilities
        """`channel:account` -> what it can do."""
        self.writers: Mapping[str, Writer] = writers or {}
        """Channel -> what it tells of messages before they leave."""
        self.brands: Mapping[str, str] = brands or {}
        """`channel:account` -> its brand."""

    def answering(self, case: Case) -> str:
        """The channel by which an answer to this case leaves: its own where that can answer, else mail."""
        return case.channel if self._own(case) is not None else "email"

    def offered(self, case: Case) -> Capabilities:
        """What an answer to this case may be: in its own conversation, or by the channel that answers for it."""
        mail = next((of for name, of in self.capabilities.items() if name.startswith("email:")), None)
        return self._own(case) or mail or Capabilities(reply=True, subject=True, files=FileLimits())

    def _own(self, case: Case) -> Capabilities | None:
        """What the case's own conversation can do, where it takes answers."""
        own = self.capabilities.get(f"{case.channel}:{case.account}")
        return own if own is not None and own.reply else None

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
        if (
            case.brought and page.next is None
        ):  # what it was split off with is older than all that it has of its own
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

    async def command(self, principal: Principal, command: Command, request: UUID) -> Case:
        """Do something to a case, durably, or raise: Stale (somebody was first), Invalid, Forbidden, Unknown.

        `request` is the command's id (`schemas.ids.command_id`): the same request twice is done once.
        """
        case = await self.case(principal, command.case)
        must_command(principal, self.company, case, command)
        if isinstance(command, MergeCase):
            await self.case(principal, command.into)
        if isinstance(command, AssignCase) and command.assignee is not None:
            await self._must_be_able(command.assignee, case.queue)
        await self._deciding.request(self._asked(principal, command, request))
        return await self.case_after(case.id)

    async def start(self, principal: Principal, command: StartCase, request: UUID) -> Case:
        """Write to somebody first: a case with its message, durably, or raise as `command` does."""
        must_start(principal, self.company, self._brand_of(command), command)
        await self._deciding.request(self._asked(principal, command, request))
        return await self.case_after(command.case)

    async def preview(self, principal: Principal, command: Command) -> OutboundMessage:
        """The message that would leave if this were asked for now, by the same decision. Nothing is kept."""
        if isinstance(command, StartCase):
            must_start(principal, self.company, self._brand_of(command), command)
        else:
            must_command(principal, self.company, await self.case(principal, command.case), command)
        return await self._deciding.message(self._asked(principal, command, uuid4()))

    def _brand_of(self, command: StartCase) -> str | None:
        return self.brands.get(f"{command.channel}:{command.account}")

    def _asked(self, principal: Principal, command: Command, request: UUID) -> Event:
        return Event(
            id=request,
            key=str(command.case),
            time=self.clock.now(),
            data=command,
            source=f"/hub/{principal.kind}",
            correlation=request,
        )

    async def case_after(self, id: UUID) -> Case:
        found = await self.engine.load(References(documents={Case: {id}}))
        case = found.documents[id]
        assert isinstance(case, Case)
        return case

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

    async def _must_be_able(self, name: str, queue: str) -> None:
        """Nobody is given a case that they could not answer."""
        id = user_id(name)
        user = (await self.engine.load(References(documents={User: {id}}))).documents.get(id)
        if not isinstance(user, User) or not user.active or not {queue, ANY_QUEUE} & user.roles.keys():
            raise Invalid(
                said("{name!r} does not work in {queue}", name=name, queue=queue),
                {"assignee": said("name a user with a role in {queue}", queue=queue)},
            )

    async def _by_number(self, text: str) -> UUID:
        number = parse_case_number(text)
        if number is None:
            raise Unknown(said("{text!r} is not a case number", text=text))
        found = await self.engine.load(References(numbers={number}))
        if number not in found.numbers:
            raise Unknown("there is no such case, or it is in a queue that you do not read")
        return found.numbers[number]

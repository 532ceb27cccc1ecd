"""What a page of the desk shows, loaded for one principal: rail, list, case, person."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from uuid import UUID

from hub.console.about import about_person
from hub.console.case_view import CaseView
from hub.console.composing import writing_view
from hub.console.conversation import lines
from hub.console.faces import Face, Faces, faces
from hub.console.narrowing import STATES as NARROW_STATES
from hub.console.person import PersonView, person_view
from hub.console.places import Place
from hub.console.rail import Rail, rail
from hub.console.rows import CLOSED, Row, channel_icon, channel_name, is_late, row
from hub.console.telling import Telling
from hub.console.words import Moment, Words
from hub.http.context import AppContext
from hub.http.previews import Previews
from processors.routing_explanation import Explanation
from schemas.accounts import Principal, Role
from schemas.capabilities import Visibility
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.documents import Case, Entry
from schemas.errors import Unknown
from schemas.interactions import Participant
from schemas.saved_views import ME, NOBODY

ROWS = 50
FILES = "/api/v1/cases"
ENTRIES = 50
MAIL_SCHEMES = ("email", "email-typed")
PICKED_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Narrowable:
    """What the list over all queues may be narrowed to: (value, title) each."""

    queues: Sequence[tuple[str, str]]
    states: Sequence[tuple[str, str]]
    priorities: Sequence[tuple[str, str]]
    assignees: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ListView:
    place: Place
    title: str
    rows: Sequence[Row]
    next: str | None
    wanted: str
    """What belongs to it, as JSON."""
    queues: Sequence[tuple[str, str]] = ()
    agents: Sequence[Face] = ()
    """To whom the chosen ones may be given; in a view over all queues nobody."""
    narrowable: Narrowable | None = None
    """Of the view over all queues alone."""


class Desk:
    """Loads for one request."""

    def __init__(self, context: AppContext, principal: Principal, words: Words) -> None:
        self._context = context
        self._service = context.service
        self.principal = principal
        self.words = words

    async def rail(self) -> Rail:
        return await rail(self._context, self.principal, self.words)

    # -- list -------------------------------------------------------------------------------------------------------

    async def listed(self, place: Place, after: str | None = None) -> ListView:
        page = await self._service.cases(self.principal, place.filter(self.principal.id), ROWS, after)
        known = await faces(self._context.engine, self.principal, page.items)
        rows = [row(case, self.words, known, place) for case in page.items]
        agents = await self._agents(place.queue) if place.queue else []
        visible = self.principal.queues()
        queues = [each for each in self._queues() if visible is None or each[0] in visible]
        is_all = place.queue is None and place.show == "all"
        narrowable = await self._narrowable(queues) if is_all and after is None else None
        wanted = place.wanted(self.principal.id)
        return ListView(place, await self._title(place), rows, page.next, wanted, queues, agents, narrowable)

    def _queues(self) -> list[tuple[str, str]]:
        configuration = self._context.service.company.current.configuration
        return [(each.name, each.title) for each in configuration.queues]

    def title(self, place: Place) -> str:
        return self.queue_title(place.queue) if place.queue else self.words.t(f"rail.{place.show}")

    async def _title(self, place: Place) -> str:
        """A saved view's own, for as long as there is one."""
        if place.narrow.view:
            try:
                return (await self._context.saved_views.get(self.principal, UUID(place.narrow.view))).title
            except Unknown:
                pass
        return self.title(place)

    async def _narrowable(self, queues: Sequence[tuple[str, str]]) -> Narrowable:
        t = self.words.t
        users = await self._context.accounts.users.names()
        named = [(each.name, each.title or each.name) for each in users if each.active][:PICKED_AT_MOST]
        return Narrowable(
            queues,
            [(each, t(f"state.{each}")) for each in NARROW_STATES],
            [(each, t(f"priority.{each}")) for each in Priority],
            [("", t("saved.anybody")), (ME, t("rail.mine")), (NOBODY, t("rail.unassigned")), *named],
        )

    def queue_title(self, name: str) -> str:
        queues = self._context.service.company.current.configuration.queues
        return next((queue.title for queue in queues if queue.name == name), name)

    async def row(self, case: Case, place: Place) -> Row:
        return row(case, self.words, await faces(self._context.engine, self.principal, [case]), place)

    # -- case -------------------------------------------------------------------------------------------------------

    async def case(self, number: str, place: Place, before: str | None = None) -> CaseView:
        case = await self._service.case(self.principal, number)
        page, agents, why, merged, draft = await asyncio.gather(
            self._service.timeline(self.principal, case, ENTRIES, before),
            self._agents(case.queue),
            self._why(case),
            self._merged_into(case),
            self._context.drafts.read(self.principal.id, case.id),
        )
        known = await faces(self._context.engine, self.principal, [case], _users(page.items))
        words = self.words
        offered = self._context.service.offered(case)
        answering = self._context.service.answering(case)
        return CaseView(
            case=case,
            subject=case.subject or words.t("list.no-subject"),
            customer=known.customer(case.handle) or words.t("actor.customer"),
            channel=channel_name(words, case.channel),
            channel_icon=channel_icon(case.channel),
            state=words.t(f"state.{case.state}"),
            queue_title=self.queue_title(case.queue),
            assignee=known.agent(case.assignee),
            priority=words.t(f"priority.{case.priority}"),
            when=words.age(case.waiting_since) if case.waiting_since else None,
            late=is_late(case, words),
            due=words.due(case.due_at) if case.due_at and case.state not in CLOSED else None,
            snoozed=_snoozed(case, words),
            merged_into=merged,
            lines=lines(page.items, self.telling(known, case), case.subject),
            earlier=page.next,
            receivers=_receivers(case),
            answer_channel=channel_name(words, answering),
            answer_icon=channel_icon(answering),
            closed=case.state in CLOSED,
            can_assign=self.principal.is_at_least(Role.SUPERVISOR, case.queue),
            agents=agents,
            queues=self._queues(),
            canned=[each.name for each in self._context.service.company.current.configuration.templates],
            place=place,
            nonce=token_hex(8),
            why=why,
            takes_files=offered.files is not None,
            is_public=offered.visibility is Visibility.PUBLIC,
            repeats=offered.repeats,
            goes_private=bool(offered.private),
            longest=None if offered.splits else offered.longest,
            can_forward=case.state is not CaseState.MERGED
            and any(each.channel == "email" for each in self._context.correspondence.identities()),
            writing=writing_view(
                offered, self._context.correspondence.proposed(case, page.items), page.items, draft
            ),
            draft=draft.text if draft else "",
            draft_at=int(draft.kept_at.timestamp() * 1000) if draft else 0,
            mode=draft.mode if draft else "reply",
        )

    def telling(self, known: Faces, case: Case) -> Telling:
        files = f"{FILES}/{case.number}"
        offered = self._context.service.offered(case)
        previews = Previews(self._context)
        return Telling(
            self.words,
            known,
            self.queue_title,
            files,
            offered,
            case.channel,
            self._context.service.capabilities,
            lambda entry, sha256: previews.sign(entry, sha256).url,
        )

    async def _agents(self, queue: str) -> list[Face]:
        """Who a case may be given to: who works in its queue. Only a supervisor gives cases away."""
        if not self.principal.is_at_least(Role.SUPERVISOR, queue):
            return []
        users = await self._context.accounts.users.names()
        able = [each for each in users if each.active and (queue in each.roles or "*" in each.roles)]
        return [
            Face(each.name, each.title or each.name, each.name == self.principal.id)
            for each in able[:PICKED_AT_MOST]
        ]

    async def _why(self, case: Case) -> Explanation | None:
        try:
            return await self._service.explain(self.principal, case)
        except Unknown:
            return None

    async def _merged_into(self, case: Case) -> str:
        if case.merged_into is None:
            return ""
        try:
            return (await self._service.case(self.principal, case.merged_into)).number
        except Unknown:
            return ""

    # -- person -----------------------------------------------------------------------------------------------------

    async def person(
        self, case: Case, place: Place, channel: str | None = None, after: str | None = None
    ) -> PersonView:
        view = await person_view(
            self._service, self._context.people, self.principal, self.words, case, place, channel, after
        )
        return replace(view, about=await about_person(self._context, self.principal, case))


def _users(entries: Sequence[Entry]) -> set[str]:
    assigned = {each.detail.get("assignee") for each in entries}
    return {each for each in assigned if isinstance(each, str)}


def _snoozed(case: Case, words: Words) -> Moment | None:
    at: datetime | None = case.snoozed_until
    return words.when(at) if at is not None and case.state is CaseState.SNOOZED else None


def _receivers(case: Case) -> str:
    """Whom an answer goes to: by name and address, where the address tells a reader anything."""
    schemes = (*MAIL_SCHEMES, case.channel)
    able = [each for each in case.reply_recipients if each.scheme in schemes]
    return ", ".join(_shown(each) for each in able)


def _shown(each: Participant) -> str:
    if not each.name:
        return each.value
    return f"{each.name} <{each.value}>" if each.scheme in MAIL_SCHEMES else each.name

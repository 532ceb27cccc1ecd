"""For supervisors: who is on and with how much, what waits and is late, what is stuck; for administrators the audit trail."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console, only_with
from hub.console.places import ROOT, Place
from hub.console.words import Moment, Words
from hub.http.connectors import known_connectors
from hub.http.rights import Right
from hub.queries import QueueView
from hub.team import Member
from hub.trail import Trace, day_of
from schemas.collections import DEAD_LETTERS, QUARANTINE
from schemas.errors import Unknown
from schemas.letters import LetterState
from schemas.ports import HealthState
from schemas.steps import Query, Where

LONGEST_WHO = 100


@dataclass(frozen=True, slots=True)
class QueueRow:
    title: str
    url: str
    unassigned_url: str
    late_url: str
    open: int
    unassigned: int
    late: int
    snoozed: int
    oldest: Moment | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    name: str
    is_on: bool
    seen: Moment | None
    looks_at: tuple[tuple[str, str], ...]
    open: int
    late: int


@dataclass(frozen=True, slots=True)
class TraceRow:
    when: Moment
    who: str
    who_url: str
    action: str
    subject: str
    detail: str


async def team(console: Console, request: Request) -> Response:
    principal = only_with(Right.LOOK, console, request)
    context, words = console.context, console.words(request)
    members, queues, quarantined, dead, channels = await asyncio.gather(
        context.team.members(),
        context.service.queues(principal),
        context.engine.count(Query(QUARANTINE, (Where("state", "=", str(LetterState.OPEN)),))),
        context.engine.count(Query(DEAD_LETTERS, (Where("state", "=", str(LetterState.OPEN)),))),
        known_connectors(context),
    )
    well = {HealthState.OK, HealthState.STARTING}
    unwell = [each for each in channels if each.state not in well or each.silent_seconds is not None]
    t = words.t
    values = {
        "queues": [_queue_row(each, words) for each in queues],
        "members": [_member_row(each, words) for each in members],
        "on": sum(each.is_on for each in members),
        "stuck": [
            (f"{ROOT}/quarantine", t("letters.quarantine"), quarantined),
            (f"{ROOT}/dead-letters", t("letters.dead"), dead),
            (f"{ROOT}/health", t("team.channels"), len(unwell)),
        ],
        "may_audit": _may_audit(console, request),
    }
    return await console.page(request, "team.html", "team", t("team.title"), values)


def _may_audit(console: Console, request: Request) -> bool:
    try:
        only_with(Right.ADMINISTER, console, request)
    except Unknown:
        return False
    return True


def _queue_row(queue: QueueView, words: Words) -> QueueRow:
    place, count = Place(queue.name, "all", "").showing("all"), queue.count
    oldest = words.age(count.oldest_waiting) if count.oldest_waiting else None
    return QueueRow(
        title=queue.title,
        url=place.url,
        unassigned_url=place.showing("unassigned").url,
        late_url=place.sorted_by("due").url,
        open=count.open,
        unassigned=count.unassigned,
        late=count.overdue,
        snoozed=count.snoozed,
        oldest=oldest,
    )


def _member_row(member: Member, words: Words) -> MemberRow:
    seen = words.ago(member.seen_at) if member.seen_at else None
    looks = tuple((number, f"{ROOT}/cases/{number}") for number in member.looks_at)
    return MemberRow(member.name, member.is_on, seen, looks, member.open, member.late)


async def audit(console: Console, request: Request) -> Response:
    """One day of it, with the days before and after."""
    only_with(Right.ADMINISTER, console, request)
    words = console.words(request)
    today = words.now.date()
    day = _day(request.query_params.get("day", ""), today)
    who = request.query_params.get("who", "").strip()[:LONGEST_WHO]
    found = await day_of(console.context.engine, day, who)
    values = {
        "day": day.isoformat(),
        "today": today.isoformat(),
        "earlier": _url(day - timedelta(days=1), who),
        "later": _url(day + timedelta(days=1), who) if day < today else "",
        "who": who,
        "rows": [_trace_row(each, words, day) for each in found.traces],
        "cut": found.cut,
    }
    return await console.page(request, "audit.html", "audit", words.t("team.audit"), values)


def _day(written: str, today: date) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return today
    return min(max(day, date(2000, 1, 1)), today)


def _url(day: date, who: str) -> str:
    return f"{ROOT}/audit?{urlencode({'day': day.isoformat()} | ({'who': who} if who else {}))}"


def _trace_row(trace: Trace, words: Words, day: date) -> TraceRow:
    t = words.t
    return TraceRow(
        when=words.clock(trace.at),
        who=trace.actor.name or trace.actor.id or t("actor.system"),
        who_url=_url(day, trace.actor.id),
        action=t.either(f"team.action.{trace.action}", trace.action.replace("-", " ")),
        subject=trace.subject,
        detail=", ".join(
            f"{t.either(f'team.detail.{name}', name)}: {value}"
            for name, value in trace.detail.items()
            if value
        ),
    )

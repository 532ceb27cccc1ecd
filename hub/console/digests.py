"""A mail to who wants one: what is new on their cases since the last. Sent once for each step, whoever looks first.

It goes the way of every mail (queued, sending, sent), from the account of a brand whose cases it tells of, marked as made by a machine.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub.accounts.records import changed
from hub.console.words import Words, catalogue, language_of
from hub.notices import OPEN, is_news, is_quiet, zone_named
from schemas.accounts import USERS, User
from schemas.collections import CASES
from schemas.documents import Case
from schemas.errors import Conflict
from schemas.events import SYSTEM, Event
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.outbound import OutboundMessage, OutboundQueued
from schemas.ports import Clock, Engine
from schemas.preferences import Digest, Digested
from schemas.steps import Query, Step, Where

EVERY = {Digest.HOURLY: timedelta(hours=1), Digest.DAILY: timedelta(hours=20)}
MORNING = 7
"""The hour from which a daily one is sent, by the clock of its reader."""
CASES_AT_MOST = 200
LISTED_AT_MOST = 20
USERS_A_PAGE = 200


class Digests:
    """`accounts` is brand -> the mail account that answers for it; without any nothing is sent."""

    def __init__(self, engine: Engine, clock: Clock, accounts: Mapping[str, str], console_url: str) -> None:
        self._engine = engine
        self._clock = clock
        self._accounts = accounts
        self._console_url = console_url.rstrip("/")

    async def run(self) -> int:
        """All that are due now. Returns how many were queued. Run by one process, now and then; two do no harm."""
        count, after = 0, None
        while self._accounts:
            page = await self._engine.find(Query(USERS, order=("name",), limit=USERS_A_PAGE, after=after))
            for each in page.items:
                if isinstance(each, User) and await self._for(each):
                    count += 1
            if (after := page.next) is None:
                break
        return count

    async def _for(self, user: User) -> bool:
        now = self._clock.now()
        if not self._is_due(user, now):
            return False
        since = user.digested.at if user.digested else now - EVERY[user.preferences.mail]
        cases = [each for each in await self._cases(user) if is_news(each, user, since, now)]
        if not cases:
            return False
        number = user.digested.number + 1 if user.digested else 1
        message = self._message(user, cases, number, now)
        event = Event(
            id=message.message,
            key=message.conversation,
            time=now,
            data=OutboundQueued(message=message),
            source="/hub/digests",
            correlation=message.message,
        )
        noted = changed(user, {"digested": Digested(at=now, number=number)})
        try:
            await self._engine.commit(Step(documents=[noted], events=[event]))
        except Conflict:
            return False  # another process sent it, or the user changed: next time
        return True

    def _is_due(self, user: User, now: datetime) -> bool:
        every = EVERY.get(user.preferences.mail)
        if every is None or not user.active or "@" not in user.address or is_quiet(user.preferences, now):
            return False
        if user.digested is not None and now < user.digested.at + every:
            return False
        local = now.astimezone(zone_named(user.preferences.zone))
        return user.preferences.mail is not Digest.DAILY or local.hour >= MORNING

    async def _cases(self, user: User) -> Sequence[Case]:
        where = (Where("assignee", "=", user.name), Where("state", "in", tuple(map(str, OPEN))))
        page = await self._engine.find(Query(CASES, where, ("due_from",), CASES_AT_MOST))
        return [each for each in page.items if isinstance(each, Case)]

    def _message(self, user: User, cases: Sequence[Case], number: int, now: datetime) -> OutboundMessage:
        language = language_of(user.preferences.language, "")
        words = Words(catalogue(language), now, zone_named(user.preferences.zone))
        brand = next(
            (each.brand for each in cases if each.brand in self._accounts), next(iter(self._accounts))
        )
        lines = [self._line(each, words) for each in cases[:LISTED_AT_MOST]]
        if len(cases) > LISTED_AT_MOST:
            lines.append(words.t.count("digest.more", len(cases) - LISTED_AT_MOST))
        ending = words.t("digest.ending", url=f"{self._console_url}/console/account/preferences")
        return OutboundMessage(
            message=derive("digest", user.name, str(number)),
            channel="email",
            account=self._accounts[brand],
            brand=brand,
            conversation=f"digest:{user.name}",
            recipients=(Participant(role=Role.TO, scheme="email", value=user.address, name=user.title),),
            subject=words.t.count("digest.subject", len(cases)),
            text="\n\n".join([*lines, ending]),
            author=SYSTEM,
            automatic=True,
            queued_at=now,
        )

    def _line(self, case: Case, words: Words) -> str:
        due = f" ({words.due(case.due_at).words})" if case.due_at is not None else ""
        subject = " ".join(case.subject.split()) or words.t("list.no-subject")
        return f"{subject}{due}\n{self._console_url}/console/cases/{case.number}"

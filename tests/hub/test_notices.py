"""Of what somebody is told: the same for all ways to tell it, once, and not in quiet hours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.console.digests import Digests
from hub.http.telling import Telling
from hub.notices import is_news, is_quiet, late_soon, notice_of
from schemas.accounts import Principal, Role, User, user_id
from schemas.case_messages import CaseNoted
from schemas.case_work import CaseAssigned
from schemas.cases import CaseState
from schemas.documents import Case
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.outbound import OutboundQueued
from schemas.preferences import Digest, NoticeKind, Preferences, QuietHours
from schemas.steps import Record
from schemas.topics import Topic
from tests.hub.http.company import ADMIN, House, house

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BOSS = Actor(kind="agent", id="root")


def user(**preferences: Any) -> User:
    return User(
        id=user_id("ines"),
        name="ines",
        roles={"orders": Role.AGENT},
        created_at=MONDAY,
        preferences=Preferences(**preferences),
    )


def case(**more: Any) -> Case:
    fields: dict[str, Any] = {
        "id": derive("case", "a"), "number": "7K3M9-Q2XAB", "brand": "default", "channel": "email", "account": "support",
        "conversation": "a", "handle": derive("handle", "a"), "subject": "Where is it?", "language": "en", "queue": "orders",
        "assignee": "ines", "opened_at": MONDAY, "updated_at": MONDAY,
    }  # fmt: skip
    return Case(**{**fields, **more})


def assigned(to: Case, by: Actor = BOSS, at: datetime = MONDAY) -> Event:
    data = CaseAssigned(case=to.id, actor=by, assignee=to.assignee, after=to.summary())
    return Event(derive("e"), str(to.id), at, data, "/tests", derive("e"), sequence=2)


def test_a_case_that_somebody_else_gave_to_me_is_told_once_by_its_id() -> None:
    first = notice_of(assigned(case()), user(), MONDAY)
    again = notice_of(assigned(case()), user(), MONDAY + timedelta(minutes=1))
    assert first is not None
    assert (first.kind, first.number) == (NoticeKind.ASSIGNED, "7K3M9-Q2XAB")
    assert again is not None
    assert again.id == first.id


@pytest.mark.parametrize(
    ("event", "to"),
    [
        (assigned(case(), Actor(kind="agent", id="ines")), user()),  # my own doing
        (assigned(case(assignee="bill")), user()),
        (assigned(case(queue="legal")), user()),  # a queue that I do not read
        (assigned(case()), user(notices=(NoticeKind.REPLY,))),
        (assigned(case(), at=MONDAY - timedelta(hours=1)), user()),  # read again after an outage
    ],
)
def test_what_is_no_news_of_mine_is_not_told(event: Event, to: User) -> None:
    assert notice_of(event, to, MONDAY) is None


def test_a_note_of_a_colleague_is_no_notice() -> None:
    data = CaseNoted(case=case().id, actor=BOSS, text="x", after=case().summary())
    assert (
        notice_of(Event(derive("n"), "k", MONDAY, data, "/tests", derive("n"), sequence=3), user(), MONDAY)
        is None
    )


def test_what_is_late_soon_is_told_once_for_each_due_time() -> None:
    due = MONDAY + timedelta(minutes=10)
    notice = late_soon(case(due_at=due), user(), MONDAY)
    assert notice is not None
    later = late_soon(case(due_at=due), user(), MONDAY + timedelta(minutes=3))
    assert later is not None
    assert later.id == notice.id
    assert late_soon(case(due_at=MONDAY + timedelta(hours=2)), user(), MONDAY) is None
    assert late_soon(case(due_at=MONDAY - timedelta(minutes=1)), user(), MONDAY) is None
    assert late_soon(case(due_at=due, state=CaseState.RESOLVED), user(), MONDAY) is None


@pytest.mark.parametrize(
    ("hours", "zone", "at", "quiet"),
    [
        (QuietHours(starts="20:00", ends="07:00"), "UTC", "2026-03-02T21:00", True),
        (QuietHours(starts="20:00", ends="07:00"), "UTC", "2026-03-02T06:59", True),
        (QuietHours(starts="20:00", ends="07:00"), "UTC", "2026-03-02T07:00", False),
        (QuietHours(starts="12:00", ends="13:00"), "UTC", "2026-03-02T12:30", True),
        (QuietHours(starts="12:00", ends="13:00"), "Asia/Tehran", "2026-03-02T12:30", False),
        (QuietHours(starts="12:00", ends="13:00"), "UTC", "2026-03-07T15:00", True),  # a Saturday
        (QuietHours(starts="12:00", ends="13:00", weekends=False), "UTC", "2026-03-07T15:00", False),
        (QuietHours(starts="08:00", ends="08:00"), "UTC", "2026-03-02T15:00", True),
    ],
)
def test_quiet_hours_are_those_of_the_reader(hours: QuietHours, zone: str, at: str, quiet: bool) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert is_quiet(Preferences(zone=zone, quiet=hours), now) is quiet
    assert not is_quiet(Preferences(zone=zone), now)


def test_a_digest_holds_the_same_three_kinds() -> None:
    since, now = MONDAY, MONDAY + timedelta(hours=1)
    fresh = MONDAY + timedelta(minutes=30)
    assert is_news(case(assigned_at=fresh), user(), since, now)
    assert is_news(case(waiting_since=MONDAY, wrote_at=fresh), user(), since, now)
    assert is_news(case(due_at=now + timedelta(minutes=5)), user(), since, now)
    assert not is_news(case(assigned_at=MONDAY), user(), since, now)
    assert not is_news(case(assigned_at=fresh), user(notices=()), since, now)
    assert not is_news(case(assigned_at=fresh, assignee="bill"), user(), since, now)


async def test_a_digest_is_sent_once_in_the_language_of_its_reader_and_not_in_quiet_hours(
    tmp_path: Path,
) -> None:
    async with house(tmp_path / "data") as home:
        await home.accounts.users.update("ines", ADMIN, address="ines@acme.example")
        wanted: dict[str, object] = {"mail": Digest.HOURLY, "language": "de"}
        await home.accounts.users.prefer("ines", wanted)
        await home.case("ann", assignee="ines", assigned_at=home.clock.now())
        digests = [
            Digests(home.engine, home.clock, {"default": "support"}, "https://desk.example") for _ in "ab"
        ]
        quiet = QuietHours(starts="00:00", ends="00:00")
        await home.accounts.users.prefer("ines", {"quiet": quiet})
        assert await digests[0].run() == 0
        await home.accounts.users.prefer("ines", {"quiet": None})
        assert [await each.run() for each in digests] == [1, 0]
        home.clock.advance(hours=2)
        assert await digests[0].run() == 0  # nothing is new
        [sent] = await queued(home)
        assert (sent.recipients[0].value, sent.subject) == ("ines@acme.example", "Neues zu 1 Ihrer Fälle")
        assert "https://desk.example/console/cases/" in sent.text
        assert sent.automatic
        assert sent.case is None


async def queued(home: House) -> list[Any]:
    events = await home.events(Topic.OUTBOUND)
    return [each.data.message for each in events if isinstance(each.data, OutboundQueued)]


async def test_preferences_are_kept_as_far_as_they_are_given(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home, home.signed_in("ines") as client:
        url = "/api/v1/session/preferences"
        kept = await client.patch(
            url, json={"zone": "Asia/Tehran", "browser": True, "quiet": {"starts": "22:00"}}
        )
        refused = await client.patch(url, json={"zone": "Atlantis/Capital"})
        assert (kept.status_code, refused.status_code) == (200, 422)
        shown = (await client.get(url)).json()
        assert (shown["zone"], shown["browser"], shown["quiet"]["ends"]) == ("Asia/Tehran", True, "07:00")
        taken = (await client.patch(url, json={"quiet": None})).json()
        assert taken["quiet"] is None


async def test_a_stream_tells_of_what_is_mine_and_late_soon_once(tmp_path: Path) -> None:
    async with house(tmp_path / "data") as home:
        await home.accounts.users.prefer("ines", {"browser": True})
        mine = await home.case("ann", assignee="ines", due_at=home.clock.now() + timedelta(minutes=5))
        await home.case("bea", assignee="bill", due_at=home.clock.now() + timedelta(minutes=5))
        telling = Telling(home.context, Principal(kind="agent", id="ines", roles={"orders": Role.AGENT}))
        event = assigned(mine, at=home.clock.now())
        record = Record("9", event, event.id, event.type, event.key, Topic.CASES, b"")
        told = [
            await telling.of([record]),
            await telling.of([record]),
            await telling.of([]),
            await telling.of([]),
        ]
        kinds = [[each["kind"] for each in each_time] for each_time in told]
        assert kinds == [["assigned"], [], ["late-soon"], []]
        key = Telling(home.context, Principal(kind="key", id="ines", roles={"*": Role.AGENT}))
        assert await key.of([record]) == []

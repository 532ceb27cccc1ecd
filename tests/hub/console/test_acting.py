"""Each action by its form: what it does, what it says, and what happens when it is not possible."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.console.actions import ACTIONS
from hub.console.times import snooze_until
from hub.console.words import catalogue
from schemas.cases import CaseState
from schemas.commands import ClaimCase, MarkSpam, ReplyToCase, ResolveCase, SnoozeCase
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.outbound import DeliveryState
from schemas.ports import ReceiptStatus
from tests.hub.console.office import Office, Visitor

NOW = datetime(2026, 3, 4, 22, 30, tzinfo=UTC)  # a Wednesday


async def act(visitor: Visitor, case: Case, action: str, **fields: str) -> str:
    """Does it, and gives the address where the browser is sent."""
    answer = await visitor.post(f"/console/queues/orders/{case.number}/{action}", **fields)
    assert answer.status_code == 303
    page = await visitor.get(answer.headers["location"])
    assert page.status_code == 200
    return answer.headers["location"]


async def test_claim_and_give_back(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        await act(ann, case, "claim")
        assert (await office.service.case_after(case.id)).assignee == "ann"
        await act(ann, case, "release")
    assert (await office.service.case_after(case.id)).assignee is None


@pytest.mark.parametrize(
    ("action", "fields", "field", "value"),
    [
        ("resolve", {}, "state", CaseState.RESOLVED),
        ("spam", {}, "state", CaseState.SPAM),
        ("snooze", {"choice": "hour"}, "state", CaseState.SNOOZED),
        ("tag", {"add": "gold"}, "tags", ("gold",)),
        ("prioritize", {"priority": "urgent"}, "priority", "urgent"),
        ("move", {"queue": "billing"}, "queue", "billing"),
    ],
)
async def test_an_action_does_what_it_says(
    office: Office, action: str, fields: dict[str, str], field: str, value: object
) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        assert f"done={ACTIONS[action].done}" in await act(ann, case, action, **fields)
    assert getattr(await office.service.case_after(case.id), field) == value


@pytest.mark.parametrize(
    ("before", "action"), [(ResolveCase, "reopen"), (MarkSpam, "not-spam"), (SnoozeCase, "wake")]
)
async def test_what_was_done_is_taken_back(office: Office, before: type, action: str) -> None:
    case = await office.write("a")
    fields = {"until": office.clock.now() + timedelta(hours=2)} if before is SnoozeCase else {}
    await office.do("ann", before, case, **fields)
    async with office.signed_in("ann") as ann:
        await act(ann, case, action)
    assert (await office.service.case_after(case.id)).state is CaseState.OPEN


async def test_the_address_follows_a_case_that_is_taken_back_after_the_next_one_opened(
    office: Office,
) -> None:
    case, other = await office.write("a"), await office.write("b")
    await office.do("ann", ResolveCase, case)
    here, there = (f"/console/queues/orders/{each.number}" for each in (case, other))
    async with office.signed_in("ann") as ann:
        away = await ann.part(f"{here}/reopen", seen_at=there)
        assert away.headers["hx-push-url"] == here
        still = await ann.part(f"{here}/claim", seen_at=here)
        assert "hx-push-url" not in still.headers


async def test_a_tag_is_taken_away(office: Office) -> None:
    case = await office.write("a", "Return of shoes")
    assert case.tags == ("return",)
    async with office.signed_in("ann") as ann:
        await act(ann, case, "tag", remove="return")
    assert (await office.service.case_after(case.id)).tags == ()


async def test_a_form_that_is_sent_twice_acts_once(office: Office) -> None:
    case = await office.write("a")
    form = {"mode": "reply", "text": "Hello Mara.", "request": "one-form", "then": ""}
    async with office.signed_in("ann") as ann:
        for _ in range(3):
            await act(ann, case, "write", **form)
        await act(ann, case, "write", **{**form, "request": "another-form"})
    await office.settle()
    assert [each.text for each in office.relay.sent] == ["Hello Mara."] * 2


async def test_a_refused_claim_says_who_was_first_and_when(office: Office) -> None:
    case = await office.write("a")
    await office.do("bo", ClaimCase, case)
    office.clock.advance(minutes=5)
    async with office.signed_in("ann") as ann:
        answer = await ann.post(f"/console/queues/orders/{case.number}/claim")
    assert answer.status_code == 409
    assert "Bo Lindqvist took this case 5 min ago." in answer.text
    assert (await office.service.case_after(case.id)).assignee == "bo"


async def test_a_case_moved_out_of_sight_leads_back_to_the_list(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        answer = await ann.post(f"/console/queues/orders/{case.number}/move", queue="legal")
        assert answer.headers["location"] == "/console/queues/orders?done=moved"
        assert "Moved." in (await ann.get(answer.headers["location"])).text


async def test_cases_are_merged_by_number(office: Office) -> None:
    first, second = await office.write("a", "One"), await office.write("b", "Two")
    async with office.signed_in("ann") as ann:
        location = await act(ann, second, "merge", into=f"#{first.number.lower()}")
        assert location.startswith(f"/console/queues/orders/{first.number}")
        old = await ann.get(f"/console/queues/orders/{second.number}")
        assert f"This case is read and answered in {first.number} now." in old.text
        wrong = await ann.post(f"/console/queues/orders/{first.number}/merge", into="nonsense")
        assert wrong.status_code == 422
    assert (await office.service.case_after(second.id)).merged_into == first.id


async def test_who_got_a_case_is_told_and_it_goes_back_to_who_had_it(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("eva") as eva:
        url = f"/console/queues/orders/{case.number}"
        await act(eva, case, "claim")
        given = (await eva.part(f"{url}/assign", assignee="bo")).text
        toast = given.split('id="toasts"')[1]
        assert "Assigned. <bdi>Bo Lindqvist has it</bdi>" in toast
        assert '<input type="hidden" name="assignee" value="eva">' in toast
        back = (await eva.part(f"{url}/assign", assignee="eva")).text
    assert "Eva Novak has it" in back.split('id="toasts"')[1]
    assert (await office.service.case_after(case.id)).assignee == "eva"


async def test_spam_is_taken_back_by_a_button_of_its_own(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        done = await ann.part(f"/console/queues/orders/{case.number}/spam")
        assert done.headers["HX-Trigger-After-Settle"] == "hubbub:spam"  # the next case opens
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert page.split('data-key="e"')[1].split("</button>")[0].endswith("Not spam")
        await act(ann, case, "not-spam")
    after = await office.service.case_after(case.id)
    assert (after.state, after.due_at, after.waiting_since) == (case.state, case.due_at, case.waiting_since)


async def test_a_message_says_in_which_language_it_is_read_aloud(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
    assert f'<div class="body" lang="{case.language}">' in page


async def test_a_merge_is_told_once_by_the_case_that_stays_and_by_the_one_that_went(office: Office) -> None:
    first, second = await office.write("a"), await office.write("b", "Again", sender="bob@example.org")
    async with office.signed_in("ann") as ann:
        await act(ann, second, "merge", into=first.number)
        stays = (await ann.get(f"/console/queues/orders/{first.number}")).text
        went = (await ann.get(f"/console/queues/orders/{second.number}")).text
    by_ann = "Ann Okafor merged"
    assert (stays.count(by_ann), "merged another case into this one" in stays) == (1, True)
    assert (went.count(by_ann), "merged this case into another" in went) == (1, True)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("snooze", {"choice": "never"}), ("prioritize", {"priority": "very"}), ("move", {"queue": "nowhere"}), ("tag", {}),
        ("settle", {"message": "x", "state": "sent"}), ("settle", {"state": "queued"}), ("cancel", {"message": ""}),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_with_the_reason(
    office: Office, action: str, fields: dict[str, str]
) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        answer = await ann.post(f"/console/queues/orders/{case.number}/{action}", **fields)
    assert answer.status_code == 422
    assert "That was not possible:" in answer.text
    assert (await office.service.case_after(case.id)).revision == case.revision


async def test_an_unknown_delivery_is_settled_by_a_person(office: Office) -> None:
    case = await office.write("a")
    office.relay.status, office.relay.reason = ReceiptStatus.UNKNOWN, "the line broke"
    await office.do("ann", ReplyToCase, case, text="Hello")
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert "It may have been sent: the line broke" in page
        message = page.split('name="message" value="')[1].split('"')[0]
        await act(ann, case, "settle", message=message, state="sent")
        await office.settle()
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
    assert "It may have been sent" not in page
    assert len(office.relay.sent) == 1


async def test_what_leaves_within_a_minute_is_told_without_a_time(office: Office) -> None:
    case = await office.write("a")
    send_at = office.clock.now() + timedelta(seconds=10)
    await office.do("ann", ReplyToCase, case, text="Now", send_at=send_at)
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert ("Leaves in a moment" in page, "Leaves: " in page) == (True, False)
        done = await ann.part(f"/console/queues/orders/{case.number}/snooze", choice="tomorrow")
    assert "<span>Snoozed. Comes back: Tomorrow, 09:00</span>" in done.text


async def test_a_scheduled_answer_is_taken_back(office: Office) -> None:
    case = await office.write("a")
    send_at = office.clock.now() + timedelta(hours=1)
    await office.do("ann", ReplyToCase, case, text="Later", send_at=send_at)
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert "Leaves: Today, 10:00" in page
        message = page.split('name="message" value="')[1].split('"')[0]
        await act(ann, case, "cancel", message=message)
        assert (
            "Taken back before it was sent" in (await ann.get(f"/console/queues/orders/{case.number}")).text
        )
    office.clock.advance(hours=2)
    await office.settle()
    assert office.relay.sent == []


@pytest.mark.parametrize(
    ("choice", "zone", "expected"),
    [
        ("hour", "UTC", "2026-03-04T23:30"),
        ("three-hours", "UTC", "2026-03-05T01:30"),
        ("tomorrow", "UTC", "2026-03-05T09:00"),
        ("tomorrow", "Europe/Berlin", "2026-03-05T08:00"),
        ("tomorrow", "Asia/Tokyo", "2026-03-06T00:00"),  # it is Thursday there already
        ("monday", "UTC", "2026-03-09T09:00"),
        ("week", "UTC", "2026-03-11T09:00"),
        ("week", "America/New_York", "2026-03-11T13:00"),  # the clocks go forward on the 8th
    ],
)
def test_a_choice_of_snoozing_means_the_time_of_the_reader(choice: str, zone: str, expected: str) -> None:
    assert snooze_until(choice, NOW, ZoneInfo(zone)).isoformat(timespec="minutes").startswith(expected)


def test_what_is_no_choice_is_refused() -> None:
    with pytest.raises(Invalid):
        snooze_until("soon", NOW, UTC)


def test_every_state_of_an_answer_has_words() -> None:
    assert [state for state in DeliveryState if f"delivery.{state}" not in catalogue()] == []


async def test_a_doubled_click_snoozes_once_and_another_choice_is_another(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        for choice in ("hour", "hour", "tomorrow"):
            await act(ann, case, "snooze", request="page-1", choice=choice)
            office.clock.advance(seconds=1)
    assert (await office.service.case_after(case.id)).revision == case.revision + 2

"""What was merged into a case stays with those who read the queue that it came from."""

from schemas.commands import MergeCase, TransferCase
from tests.hub.console.office import Office


async def test_mail_of_a_merged_case_is_framed_for_its_own_readers_only(office: Office) -> None:
    shown = await office.write("a", html="<p>For orders</p>")
    stays = await office.write("b", sender="lisa@example.com", html="<p>For legal</p>")
    await office.do("eva", TransferCase, stays, queue="legal")
    await office.do("eva", MergeCase, shown, into=stays.id)
    page = await office.engine.timeline(cases=[shown.id])
    entry = next(each for each in page.items if each.html)
    address = f"/console/queues/legal/{stays.number}?html={entry.id}"
    async with office.signed_in("lee") as lee:
        hidden = await lee.get(address)
    async with office.signed_in("eva") as eva:
        seen = await eva.get(address)
    assert (hidden.status_code, seen.status_code) == (404, 200)
    assert str(entry.id) in seen.text
    assert str(entry.id) not in hidden.text

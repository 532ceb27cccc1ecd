"""What was merged into a case is read with it, and still by who reads the queue that it came from."""

from schemas.commands import MergeCase, TransferCase
from tests.hub.console.office import Office


async def test_mail_of_a_merged_case_is_framed_for_who_reads_where_it_went(office: Office) -> None:
    shown = await office.write("a", html="<p>For orders</p>")
    stays = await office.write("b", sender="lisa@example.com", html="<p>For legal</p>")
    page = await office.engine.timeline(cases=[shown.id])
    entry = next(each for each in page.items if each.html)
    address = f"/console/queues/legal/{stays.number}?html={entry.id}"
    await office.do("eva", TransferCase, stays, queue="legal")
    async with office.signed_in("lee") as lee:
        before = await lee.get(address)
        await office.do("eva", MergeCase, shown, into=stays.id)
        after = await lee.get(address)
    async with office.signed_in("eva") as eva:
        theirs = await eva.get(address)
    assert (before.status_code, after.status_code, theirs.status_code) == (200, 200, 200)
    assert str(entry.id) not in before.text
    assert str(entry.id) in after.text
    assert str(entry.id) in theirs.text

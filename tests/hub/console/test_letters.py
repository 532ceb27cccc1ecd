"""Messages with a page of their own, and the composer's copies and formats, for a browser without scripts."""

import re
from html import unescape

from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS
from tests.hub.console.test_correspondence import first_message, many, signed

HTML = "<p>It <b>comes</b>.<script>alert(1)</script></p>"


async def test_a_conversation_is_started_by_its_page_and_taken_back(office: Office) -> None:
    await signed(office)
    office.hold_back(30)
    fields = {
        "sender": "email:support",
        "queue": "billing",
        "to": "Zoe <zoe@example.com>",
        "subject": "Your order",
    }
    async with office.signed_in("ann") as ann:
        page = await ann.get("/console/new?to=zoe@example.com&queue=billing")
        assert 'value="zoe@example.com"' in page.text and '<option value="billing" selected>' in page.text
        assert '<option value="legal"' not in page.text
        await ann.post("/console/new/draft", text="Dear", to="zoe@example.com", cc="kim@example.net")
        assert ">Dear</textarea>" in (await ann.get("/console/new")).text
        wrong = await ann.post("/console/new", **fields, bcc="support@shop.example", text="Dear Zoe")
        assert (wrong.status_code, ">Dear Zoe</textarea>" in wrong.text) == (422, True)
        assert "support@shop.example is ours" in wrong.text
        shown = await ann.post("/console/new/preview", **fields, html=HTML)
        assert (
            "<p>It <strong>comes</strong>.</p>" in shown.text and "Zoe &lt;zoe@example.com&gt;" in shown.text
        )
        sent = await ann.post("/console/new", **fields, html=HTML, request="one")
        again = await ann.post("/console/new", **fields, html=HTML, request="one")
        assert (sent.status_code, sent.headers["location"]) == (303, again.headers["location"])
        place = sent.headers["location"].partition("?")[0]
        assert ">Dear</textarea>" not in (await ann.get("/console/new")).text
        case = await office.service.case(BOSS, place.rpartition("/")[2])
        (pending,) = case.pending
        back = await ann.part(f"{place}/cancel", message=str(pending.message.message))
        assert 'name="html" value="&lt;p&gt;It &lt;strong&gt;comes' in back.text
    await office.settle()
    assert office.relay.sent == []


async def test_the_composer_has_whom_it_goes_to_and_shows_what_will_leave(office: Office) -> None:
    await signed(office)
    case = await many(office)
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        page = unescape((await ann.get(url)).text)
        assert 'name="cc" value="kim@example.net"' in page
        assert 'data-copy-to=""Dan, Jr" <dan@example.com>"' in page
        fields = {"mode": "reply", "html": HTML, "cc": "", "bcc": "boss@example.org"}
        fields["quote"] = str((await first_message(office, case)).id)
        shown = await ann.part(f"{url}/preview", **fields)
        assert shown.text.index("boss@example.org") and "kim@example.net" not in shown.text
        assert (
            "<blockquote><p>Hello, where is it?</p></blockquote>" in shown.text
            and "<script" not in shown.text
        )
        assert "no address" in (await ann.part(f"{url}/preview", **{**fields, "cc": "no"})).text
        await ann.post(f"{url}/draft", text="It comes.", **fields)
        assert 'name="bcc" value="boss@example.org"' in (await ann.get(url)).text
        assert (await ann.post(f"{url}/write", text="", **fields)).status_code == 303
        after = (await ann.get(url)).text
        assert "<p>It <strong>comes</strong>.</p>" in after and "boss@example.org (Bcc)" in after
    await office.settle()
    (sent,) = office.relay.sent
    assert [each.value for each in sent.recipients] == ["mara@example.com", "boss@example.org"]


async def test_a_note_stays_plain_and_goes_to_nobody(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        await ann.post(
            f"{url}/write", mode="note", text="ours", html="<p>elsewhere</p>", cc="kim@example.net"
        )
        assert "elsewhere" not in (await ann.get(url)).text
    await office.settle()
    assert office.relay.sent == []


async def test_a_message_is_handed_on_by_its_page(office: Office) -> None:
    case = await office.write("a", attached={"plan.pdf": b"%PDF-1.7 plan", "other.pdf": b"%PDF-1.7 other"})
    url = f"/console/queues/orders/{case.number}/forward/{(await first_message(office, case)).id}"
    async with office.signed_in("ann") as ann, office.signed_in("lee") as lee:
        page = (await ann.get(url)).text
        assert 'value="Fwd: Where is my parcel?"' in page and "Hello, where is it?" in page
        (chosen,) = re.findall(r'name="attached" value="(\w+)" checked><bdi class="cut">plan.pdf', page)
        assert (await lee.get(url)).status_code == 404
        fields = {"to": "partner@example.org", "text": "Yours?", "attached": chosen}
        assert "plan.pdf" in (await ann.post(f"{url}/preview", **fields)).text
        sent = await ann.post(url, **fields)
        assert sent.headers["location"].endswith("?done=forwarded")
        assert "forwarded" in (await ann.get(sent.headers["location"])).text
    await office.settle()
    assert [each.name for each in office.relay.sent[0].attachments] == ["plan.pdf"]
    after = await office.service.case_after(case.id)
    assert (after.state, after.waiting_since) == (case.state, case.waiting_since)

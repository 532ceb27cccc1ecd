"""Lists and cases as they are read: order, pages, persons, reasons."""

import re
from datetime import timedelta

from schemas.accounts import Principal
from schemas.commands import ClaimCase, NoteCase, ResolveCase, SnoozeCase
from tests.hub.console.office import Office

NUMBERS = re.compile(r'id="row-([0-9A-Z-]+)"')


async def test_pages_of_a_list_hold_every_case_once(office: Office) -> None:
    made = {(await office.write(f"{index}", sender=f"c{index}@example.com")).number for index in range(53)}
    async with office.signed_in("ann") as ann:
        page = (await ann.get("/console/queues/orders")).text
        seen = NUMBERS.findall(page)
        assert len(seen) == 50
        more = re.search(r'hx-get="([^"]+part=rows[^"]*)"', page)
        assert more is not None
        url = more[1].replace("&amp;", "&")
        seen += NUMBERS.findall((await ann.get(url)).text)
        plain = (await ann.get(url.replace("&part=rows", "").replace("part=rows&", ""))).text
        assert NUMBERS.findall(plain) == seen[50:]
    assert len(seen) == len(made)
    assert set(seen) == made


async def test_views_hold_what_their_names_say(office: Office) -> None:
    mine, other, asleep, done, late = [
        await office.write(name, name.title(), ago=timedelta(hours=5 if name == "late" else 0))
        for name in ("mine", "other", "asleep", "done", "late")
    ]
    await office.do("ann", ClaimCase, mine)
    await office.do("bo", ClaimCase, other)
    await office.do("bo", SnoozeCase, asleep, until=office.clock.now() + timedelta(days=1))
    await office.do("bo", ResolveCase, done)
    expected = {
        "views/mine": {mine}, "views/snoozed": {asleep}, "views/resolved": {done}, "views/unassigned": {late},
        "views/overdue": {late}, "queues/orders": {mine, other, late}, "queues/orders?show=resolved": {done},
        "queues/orders?show=mine": {mine}, "queues/billing": set(), "queues/orders?sort=due": {mine, other, late},
    }  # fmt: skip
    async with office.signed_in("ann") as ann:
        for path, cases in expected.items():
            found = NUMBERS.findall((await ann.get(f"/console/{path}")).text)
            assert (path, set(found)) == (path, {case.number for case in cases})
        assert "Nothing on your desk" not in (await ann.get("/console/views/mine")).text
        assert "All done here" in (await ann.get("/console/queues/billing")).text
        assert (await ann.get("/console/views/nonsense")).status_code == 404


async def test_the_rail_counts_and_tells_the_oldest_wait(office: Office) -> None:
    await office.write("a")
    office.clock.advance(minutes=42)
    await office.write("b")
    async with office.signed_in("ann") as ann:
        rail = (await ann.get("/console/rail?here=orders")).text
    assert "oldest waits 42 min" in rail
    assert "2 open cases" in rail
    assert 'data-key="orders" href="/console/queues/orders" aria-current="page"' in rail


async def test_the_rail_counts_what_is_mine(office: Office) -> None:
    for name in ("a", "b", "c"):
        case = await office.write(name, sender=f"{name}@example.com")
        await office.do("bo" if name == "c" else "ann", ClaimCase, case)
    async with office.signed_in("ann") as ann:
        mine = (await ann.get("/console/rail")).text.split('data-key="mine"')[1].split("</li>")[0]
    assert "2 open cases" in mine


async def test_a_row_says_how_late_it_is_in_words(office: Office) -> None:
    await office.write("a")
    office.clock.advance(hours=5)
    async with office.signed_in("ann") as ann:
        assert "3 h late" in (await ann.get("/console/queues/orders")).text


async def test_why_a_case_is_here_with_the_clauses_that_did_not_match(office: Office) -> None:
    case = await office.write("a", "Invoice 7")
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/billing/{case.number}")).text
    why = page.split("Why is it here")[1]
    assert "Billing, because the subject contains" in why
    assert "rule Invoices, version 1" in why
    assert "Returns" in why.split("How each rule went")[1]
    assert "did not match" in why


async def test_a_person_is_shown_with_all_channels(office: Office) -> None:
    case = await office.write("a", "By mail")
    form = await office.fill_in("f", {"Subject": "By form", "Message": "Typed words", "Order": "118"})
    async with office.signed_in("ann") as ann:
        typed = (await ann.get(f"/console/queues/orders/{form.number}")).text
        assert "mail, typed in a form, not proved" in typed
        assert "address typed in a form" in typed
        assert "<dt><bdi>Order</bdi></dt><dd>118</dd>" in typed
        mail = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert "mail, known from their own messages" in mail
        await office.context.people.link(
            await _principal(office), case.handle, form.handle, "she called", case.id
        )
        both = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert "By form" in both.split("Other cases")[1]
        url = f"/console/queues/orders/{case.number}"
        only = (await ann.get(f"{url}?channel=webform")).text.split('id="timeline"')[1]
        assert "Typed words" in only
        assert "Hello, where is it?" not in only


async def _principal(office: Office) -> Principal:
    signed_in = await office.context.accounts.users.get("ann")
    return Principal(kind="agent", id=signed_in.name, roles=signed_in.roles)


async def test_the_address_of_a_case_alone_leads_to_it_in_its_queue(office: Office) -> None:
    case = await office.write("a", "Invoice")
    async with office.signed_in("ann") as ann:
        answer = await ann.get(f"/console/cases/{case.number.lower().replace('-', '')}")
        assert answer.headers["location"] == f"/console/queues/billing/{case.number}"
        await office.do("ann", ResolveCase, case)
        answer = await ann.get(f"/console/cases/{case.number}")
        assert answer.headers["location"] == f"/console/queues/billing/{case.number}?show=resolved"
        assert (await ann.get("/console/cases/nonsense")).status_code == 404


async def test_earlier_messages_are_a_page_away(office: Office) -> None:
    case = await office.write("a")
    for index in range(60):
        await office.do("ann", NoteCase, case, text=f"note number {index}.")
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        assert "note number 59." in page
        assert "note number 3." not in page
        earlier = re.search(r'href="([^"]*before=[^"]*)"', page)
        assert earlier is not None
        assert "note number 3." in (await ann.get(earlier[1].replace("&amp;", "&"))).text


async def test_search_finds_and_marks(office: Office) -> None:
    case = await office.write("a", "The violet umbrella", "It <b>leaks</b> umbrella")
    async with office.signed_in("ann") as ann:
        page = (await ann.get("/console/search?q=umbrella")).text
        assert "1 case found" in page
        assert "<mark>umbrella</mark>" in page
        assert "<b>leaks" not in page
        assert case.number in (await ann.get(f"/console/search?q={case.number}")).text
        assert "Nothing found" in (await ann.get("/console/search?q=zeppelin")).text
        assert (await ann.get("/console/search?q=%22%27*(")).status_code == 200


async def test_days_and_times_are_those_of_the_reader(office: Office) -> None:
    case = await office.write("a", ago=timedelta(hours=9, minutes=30))  # 23:30 of the day before, in UTC
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        assert "Yesterday, 23:30:00 UTC" in (await ann.get(url)).text
        ann.http.cookies.set("hubbub-zone", "Europe%2FBerlin")
        assert "Today, 00:30:00 CET" in (await ann.get(url)).text
        for nonsense in ("..%2F..%2Fetc%2Fpasswd", "x" * 500, "Europe"):
            ann.http.cookies.set("hubbub-zone", nonsense)
            assert "23:30:00 UTC" in (await ann.get(url)).text


async def test_only_a_mail_of_this_case_is_framed(office: Office) -> None:
    mine = await office.write("a", html="<p>mine</p>")
    theirs = await office.write("b", "Invoice", html="<p>theirs</p>")
    async with office.signed_in("ann") as ann:
        other = (await ann.get(f"/console/queues/billing/{theirs.number}")).text
        entry = other.split("?html=")[1].split("#")[0]
        url = f"/console/queues/orders/{mine.number}"
        for wrong in (entry, "nonsense", "00000000-0000-0000-0000-000000000000"):
            assert "<iframe" not in (await ann.get(f"{url}?html={wrong}")).text
        assert "<iframe" in (await ann.get(f"/console/queues/billing/{theirs.number}?html={entry}")).text

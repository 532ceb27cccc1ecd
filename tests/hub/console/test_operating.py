"""Quarantine, dead letters and health: shown, replayed, dropped."""

from uuid import UUID

from hub.letters import dead_letter
from schemas.ids import derive
from schemas.letters import LetterState, QuarantineItem
from schemas.steps import Record, Step
from schemas.topics import Topic
from tests.hub.console.office import Office


async def add_dead_letter(office: Office, value: bytes = b'{"broken": true}') -> UUID:
    record = Record(
        "7", None, derive("event"), "hubbub.interaction.received", "mail:a", Topic.INTERACTIONS, value, "no"
    )
    event, letter = dead_letter(
        "cases", record, "decode", "the field <b>part</b> is missing", 1, office.clock.now()
    )
    await office.engine.commit(Step(events=[event], documents=[(letter, 0)]))
    return letter.id


async def add_quarantined(office: Office, content: bytes) -> UUID:
    original = await office.engine.put_blob(content, "message/rfc822")
    item = QuarantineItem(
        id=derive("item"), revision=1, channel="email", account="support", original=original, stage="parse",
        reason="more than 1000 parts", received_at=office.clock.now(), envelope={"from": "mallory@example.com"},
    )  # fmt: skip
    await office.engine.commit(Step(documents=[(item, 0)]))
    return item.id


async def test_a_dead_letter_is_shown_with_its_reason_and_dropped(office: Office) -> None:
    id = await add_dead_letter(office)
    async with office.signed_in("eva") as eva:
        listed = (await eva.get("/console/dead-letters")).text
        assert f"/console/dead-letters/{id}" in listed
        shown = (await eva.get(f"/console/dead-letters/{id}")).text
        assert "the field &lt;b&gt;part&lt;/b&gt; is missing" in shown
        assert "{&#34;broken&#34;: true}" in shown
        failed = await eva.post(f"/console/dead-letters/{id}/replay")
        assert (failed.status_code, "cannot be read yet" in failed.text) == (422, True)
        dropped = await eva.post(f"/console/dead-letters/{id}/drop")
        assert dropped.status_code == 303
        assert "Dropped" in (await eva.get(dropped.headers["location"])).text
        assert (await eva.post(f"/console/dead-letters/{id}/drop")).status_code == 422
        assert "Nothing here" in (await eva.get("/console/dead-letters")).text
    assert (await office.context.letters.dead_letter(id)).state is LetterState.DROPPED


async def test_what_is_in_quarantine_is_shown_as_text_and_cut(office: Office) -> None:
    id = await add_quarantined(office, b"Subject: <script>alert(1)</script>\x00\xff\r\n" + b"x" * 30_000)
    async with office.signed_in("eva") as eva:
        assert "more than 1000 parts" in (await eva.get("/console/quarantine")).text
        shown = (await eva.get(f"/console/quarantine/{id}")).text
        assert "&lt;script&gt;alert(1)" in shown
        assert "mallory@example.com" in shown
        assert "The first 20 KB of 29 KB." in shown
        assert len(shown) < 40_000
        refused = await eva.post(f"/console/quarantine/{id}/replay")
        assert (refused.status_code, "cannot read originals again" in refused.text) == (422, True)
        assert (await eva.post(f"/console/quarantine/{id}/drop")).status_code == 303


async def test_what_is_not_there_is_not_there(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        for kind in ("quarantine", "dead-letters"):
            for id in ("nonsense", str(derive("nothing"))):
                assert (await eva.get(f"/console/{kind}/{id}")).status_code == 404
                assert (await eva.post(f"/console/{kind}/{id}/drop")).status_code == 404
        letter = await add_dead_letter(office)
        assert (await eva.post(f"/console/dead-letters/{letter}/explode")).status_code == 404


async def test_health_says_what_has_trouble(office: Office) -> None:
    async with office.signed_in("eva") as eva:
        page = (await eva.get("/console/health")).text
    assert "the relay answers slowly" in page
    assert "Has trouble" in page
    assert "up to date" in page

# ruff: noqa: S608  names in SQL are the test's own
"""`verify` finds what is damaged on purpose, each time, and finds nothing where nothing is wrong."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from connectors.kit.intake import Accepted
from hub.company import Company
from hub.verify import Fault, Verification, Verifier
from schemas.commands import NoteCase, ReplyToCase
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.ids import derive, item_id, sha256
from schemas.interactions import Attachment, BlobRef, InteractionIgnored, Part
from schemas.parking import Quarantined
from schemas.steps import Blob
from sinks.sqlite.engine import open_engine
from sinks.sqlite.log import READ, Names, read_head, seal_row
from tests.hub.test_flow import CONFIGURATION, MIA, Flow, Now

FILE = "hub.sqlite"
LOAD = 40


async def open_flow(folder: Path) -> Flow:
    clock = Now()
    engine = await open_engine(folder, clock=clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    return Flow(engine, clock, company)


async def fill(flow: Flow) -> None:
    """One of each: answered, given twice, with an attachment, ignored, in quarantine, impossible to process."""
    await flow.receive("answered")
    await flow.settle()
    (case,) = await flow.cases()
    await flow.do(MIA, NoteCase, case, text="She called.")
    await flow.do(MIA, ReplyToCase, case, text="Here it is.")
    await flow.settle()
    await flow.receive("answered")
    photo = Blob(BlobRef(sha256=sha256(b"photo"), size=5), b"photo")
    attached = Attachment(name="photo", media_type="image/png", size=5, blob=photo.ref)
    await flow.engine.put_blob(photo.content, "image/png")
    await flow.receive("attached", attachments=(attached,))
    await flow.receive("impossible", tokens=("case:no-uuid",))
    await flow.intake.accept(ignored(flow))
    await flow.intake.accept(quarantined(flow))
    await flow.settle()


def ignored(flow: Flow) -> Accepted:
    now, original = flow.clock.now(), Blob(BlobRef(sha256=sha256(b"own"), size=3), b"own")
    item = item_id("email", "support", "own")
    data = InteractionIgnored(
        part=Part(item=item),
        channel="email",
        account="support",
        brand="default",
        conversation="mail:own",
        occurred_at=now,
        received_at=now,
        original=original.ref,
        external_id="mail:own",
        reason="our own mail",
    )
    return Accepted(item, original, (data,))


def quarantined(flow: Flow) -> Accepted:
    original = Blob(BlobRef(sha256=sha256(b"\0"), size=1), b"\0")
    item = item_id("email", "support", "unreadable")
    data = Quarantined(
        item=item,
        channel="email",
        account="support",
        original=original.ref,
        stage="parse",
        reason="not a mail",
        received_at=flow.clock.now(),
    )
    return Accepted(item, original, quarantined=data)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled") / "data"

    async def make() -> None:
        flow = await open_flow(folder)
        await fill(flow)
        await flow.engine.close()

    asyncio.run(make())
    return folder


async def found_in(folder: Path) -> list[Fault]:
    engine = await open_engine(folder, clock=Now())
    try:
        return [fault async for fault in Verification(engine).faults()]
    finally:
        await engine.close()


class Vandal:
    """Somebody with a SQLite shell."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection

    def run(self, sql: str, *values: Any) -> None:
        before = self.connection.total_changes()
        self.connection.execute(sql, values)
        assert self.connection.total_changes() > before, "there was nothing to damage"

    def one(self, sql: str, *values: Any) -> Any:
        row: Any = self.connection.execute(sql, values).fetchone()
        return row[0]

    def place(self, type: str, which: str = "max") -> int:
        """The place of the last (or first: `min`) event of a type on the log."""
        seq = self.one(
            f"SELECT {which}(seq) FROM log WHERE type = (SELECT number FROM names WHERE name = ?)",
            f"hubbub.{type}",
        )
        assert seq
        return int(seq)

    def double(self, seq: int) -> None:
        """The event once more, behind the last one."""
        columns = (
            "topic, type, id, key_hash, key, time, source, correlation, causation, sequence, chain, "
            "configuration, late, digest, value"
        )
        copy = f"INSERT INTO log (seq, {columns}) SELECT (SELECT max(seq) + 1 FROM log), {columns} FROM log"
        self.run(f"{copy} WHERE seq = ?", seq)

    def edit(self, table: str, where: str, change: Callable[[Any], None], column: str = "document") -> None:
        """Changes the JSON of one row."""
        row = self.one(f"SELECT rowid FROM {table} WHERE {where}")
        content = json.loads(self.one(f"SELECT {column} FROM {table} WHERE rowid = ?", row))
        change(content)
        self.run(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", json.dumps(content).encode(), row)

    def seal(self) -> None:
        """Makes the chain of digests good again, as only somebody who knows it could."""
        names, digest, last = Names(self.connection), bytes(16), 0
        rows: list[Any] = self.connection.execute(f"SELECT {READ} FROM log ORDER BY seq").fetchall()
        for row in rows:
            digest, last = seal_row(names, digest, row), row[0]
            self.connection.execute("UPDATE log SET digest = ? WHERE seq = ?", (digest, last))
        self.connection.execute("UPDATE head SET seq = ?, digest = ?", (last, digest))
        assert read_head(self.connection).seq == last


@contextmanager
def vandal(folder: Path) -> Iterator[Vandal]:
    connection = apsw.Connection(str(folder / FILE))
    try:
        yield Vandal(connection)
    finally:
        connection.close()


def set_to(name: str, value: object) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        assert content[name] != value
        content[name] = value

    return change


def _doubled_and_sealed(type: str) -> Callable[[Vandal], None]:
    def damage(it: Vandal) -> None:
        it.double(it.place(type))
        it.seal()

    return damage


def _altered_and_sealed(it: Vandal) -> None:
    place = it.place("interaction.received", "min")
    it.edit("log", f"seq = {place}", lambda data: data["content"].update(text="Something else"), "value")
    it.seal()


def _cut_and_sealed(it: Vandal) -> None:
    it.run("DELETE FROM log WHERE seq >= ?", it.place("case.delivery"))
    it.seal()


def _deleted_and_sealed(*types: str) -> Callable[[Vandal], None]:
    def damage(it: Vandal) -> None:
        for type in types:
            it.run("DELETE FROM log WHERE seq = ?", it.place(type))
        it.seal()

    return damage


def _asked_otherwise_and_sealed(it: Vandal) -> None:
    place = it.place("command.answer-from-template")
    it.edit("log", f"seq = {place}", set_to("template", "another"), "value")
    it.seal()


def _ascribed_and_sealed(it: Vandal) -> None:
    it.run("UPDATE log SET causation = randomblob(16) WHERE seq = ?", it.place("automation.fired"))
    it.seal()


def _doubled_row(table: str, document: Callable[[Any], None], columns: str) -> Callable[[Vandal], None]:
    """One more row, like the first one but for its id."""

    def damage(it: Vandal) -> None:
        stored = json.loads(it.one(f"SELECT document FROM {table}"))
        stored["id"] = str(derive("one too many"))
        document(stored)
        id = derive("one too many").bytes
        sql = f"INSERT INTO {table} (id, {columns}, document) SELECT ?, {columns}, ? FROM {table} LIMIT 1"
        it.run(sql, id, json.dumps(stored).encode())

    return damage


def _sent_again(it: Vandal) -> None:
    it.edit("outbound", "state = 'sent'", set_to("state", "queued"))
    it.run("UPDATE outbound SET state = json_extract(document, '$.state')")


def _contradiction(it: Vandal) -> None:
    sql = "INSERT INTO outcomes (consumer, seq, event, kind, reason) SELECT consumer, seq, event, 'duplicate', '' FROM outcomes"
    it.run(f"{sql} WHERE kind = 'ignored'")


def sql(statement: str) -> Callable[[Vandal], None]:
    return lambda it: it.run(statement)


ORIGINAL, PHOTO = sha256(b"answered"), sha256(b"photo")
ENTRY_COLUMNS = "case_ref, handle_ref, occurred_at, sequence, kind, channel"
CASE_COLUMNS = "revision, number, state, queue, assignee, brand, priority, handle, updated_at, waiting_since, due_at, next_due"
DELIVERY_COLUMNS = "revision, state, channel, account, conversation, order_, next_attempt_at"

DAMAGES: dict[str, tuple[Callable[[Vandal], None], str, str]] = {
    "an event deleted": (sql("DELETE FROM log WHERE seq = 3"), "a", "event 3 is missing"),
    "the last event deleted": (
        sql("DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)"),
        "a",
        "is missing",
    ),
    "an event doubled": (lambda it: it.double(it.place("case.noted")), "a", "behind the end"),
    "an event altered": (sql("UPDATE log SET key = 'another' WHERE seq = 3"), "a", "event 3 was altered"),
    "an event altered, and the log sealed": (_altered_and_sealed, "d", "not what the log makes of it"),
    "a case event doubled, and the log sealed": (_doubled_and_sealed("case.noted"), "d", "comes where"),
    "a message doubled, and the log sealed": (
        _doubled_and_sealed("case.opened"),
        "d",
        "not on the log before",
    ),
    "a delivery doubled, and the log sealed": (_doubled_and_sealed("delivery.sent"), "e", "sent 2 times"),
    "the end cut off, and the log sealed": (_cut_and_sealed, "d", "not the fold of its events"),
    "an entry deleted": (sql("DELETE FROM entries WHERE kind = 'note'"), "d", "is missing"),
    "an entry altered": (
        lambda it: it.edit("entries", "kind = 'note'", set_to("text", "She did not call.")),
        "d",
        "not what the log makes of it",
    ),
    "an entry doubled": (_doubled_row("entries", lambda _: None, ENTRY_COLUMNS), "d", "timeline entries"),
    "what became of a reply altered": (
        sql("UPDATE entries SET delivery = 'failed' WHERE delivery = 'sent'"),
        "d",
        "says failed, and the log sent",
    ),
    "what became of a reply forgotten": (
        sql("UPDATE entries SET changed = 0 WHERE delivery = 'sent'"),
        "d",
        "says queued, and the log sent",
    ),
    "a case deleted": (sql("DELETE FROM cases"), "d", "the case is missing"),
    "a case altered": (
        lambda it: it.edit("cases", "true", set_to("subject", "Other")),
        "d",
        "not the fold of its events",
    ),
    "a case doubled": (
        _doubled_row("cases", lambda _: None, CASE_COLUMNS),
        "d",
        "not the fold of its events",
    ),
    "a case put back": (
        lambda it: it.edit("cases", "true", lambda case: case.update(messages=0)),
        "d",
        "not the fold",
    ),
    "an outbound message deleted": (sql("DELETE FROM outbound"), "e", "not in the sending queue"),
    "an outbound message altered": (
        lambda it: it.edit("outbound", "true", lambda each: each["message"].update(text="Pay me")),
        "e",
        "not the message that was queued",
    ),
    "an outbound message doubled": (
        _doubled_row("outbound", lambda each: each["message"].update(message=each["id"]), DELIVERY_COLUMNS),
        "e",
        "does not say that it was queued",
    ),
    "a sent message queued again": (_sent_again, "e", "the log says hubbub.delivery.sent"),
    "an original deleted": (
        sql(f"DELETE FROM blobs WHERE sha256 = x'{ORIGINAL}'"),
        "b",
        "original .* is missing",
    ),
    "an original altered": (
        sql(f"UPDATE blobs SET content = x'00' WHERE sha256 = x'{ORIGINAL}'"),
        "b",
        "not what its name says",
    ),
    "an attachment deleted": (
        sql(f"DELETE FROM blobs WHERE sha256 = x'{PHOTO}'"),
        "b",
        "attachment .* is missing",
    ),
    "the outcome of an ignored event removed": (
        sql("DELETE FROM outcomes WHERE kind = 'ignored'"),
        "c",
        "neither applied nor set aside",
    ),
    "the outcome of a duplicate removed": (
        sql("DELETE FROM outcomes WHERE kind = 'duplicate'"),
        "c",
        "applied a second time",
    ),
    "the outcome of a dead letter removed": (
        sql("DELETE FROM outcomes WHERE kind = 'dead-lettered'"),
        "c",
        "neither applied nor set aside",
    ),
    "a second outcome": (_contradiction, "c", "has the outcomes"),
    "a dead letter deleted": (sql("DELETE FROM dead_letters"), "c", "as DeadLetter and not in the list"),
    "what an automation asked for deleted, and the log sealed": (
        _deleted_and_sealed("command.answer-from-template"),
        "c",
        "what was done is not what the configuration 1 makes of it",
    ),
    "all that an automation did deleted, and the log sealed": (
        _deleted_and_sealed("command.answer-from-template", "automation.fired"),
        "c",
        "nothing was done .hubbub.case.routed",
    ),
    "what an automation asked for altered, and the log sealed": (
        _asked_otherwise_and_sealed,
        "c",
        "what was done is not what the configuration 1 makes of it",
    ),
    "what an automation did ascribed to another event, and the log sealed": (
        _ascribed_and_sealed,
        "c",
        "follows from no event of a case",
    ),
    "a handle deleted": (sql("DELETE FROM handles"), "d", "the handle is not what the log tells of it"),
    "a handle altered": (
        lambda it: it.edit("handles", "true", set_to("value", "eve@example.com")),
        "d",
        "the handle is not what the log tells of it",
    ),
    "a consent put in": (
        lambda it: it.edit("handles", "true", set_to("consents", {"news": "1"})),
        "d",
        "the handle is not what the log tells of it",
    ),
    "a handle doubled": (
        _doubled_row("handles", lambda _: None, "revision, scheme, value"),
        "d",
        "the handle is on no log",
    ),
    "a search text deleted": (
        sql("DELETE FROM found WHERE number = 1"),
        "d",
        "search does not have the entry as the log makes it",
    ),
    "words of a search text altered": (
        sql("UPDATE words SET text = 'nothing' WHERE rowid = 1"),
        "d",
        "search does not have the entry as the log makes it",
    ),
    "the head of a search text altered": (
        sql("UPDATE heads SET subject = 'nothing' WHERE rowid = 1"),
        "d",
        "search does not have the entry as the log makes it",
    ),
    "an item in quarantine deleted": (
        sql("DELETE FROM quarantine_items"),
        "b",
        "as QuarantineItem and not in the list",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_found(filled: Path, tmp_path: Path, name: str) -> None:
    damage, promise, what = DAMAGES[name]
    folder = tmp_path / "data"
    shutil.copytree(filled, folder)
    with vandal(folder) as it:
        damage(it)
    with pytest.raises(AssertionError, match=what):
        raise AssertionError(
            "\n".join(each.what for each in await found_in(folder) if each.promise == promise)
        )


async def test_an_undamaged_store_is_whole(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "data")
    assert await found_in(tmp_path / "data") == []


async def test_an_event_that_was_passed_over_is_found(tmp_path: Path) -> None:
    flow = await open_flow(tmp_path)
    await flow.receive("passed over")
    await flow.engine.close()
    with vandal(tmp_path) as it:
        it.run("INSERT INTO positions SELECT 'cases', seq FROM head")
    (fault,) = await found_in(tmp_path)
    assert (fault.promise, fault.what) == (
        "c",
        "cases: hubbub.interaction.received was neither applied nor set aside",
    )


async def test_the_answer_says_what_was_looked_at(filled: Path, tmp_path: Path) -> None:
    shutil.copytree(filled, tmp_path / "data")
    engine = await open_engine(tmp_path / "data", clock=Now())
    known, lost = item_id("email", "support", "answered"), item_id("email", "support", "lost")
    records = [each async for each in Verifier(engine).verify(f"# mine\n{known}\n\n{lost}  # the second\n")]
    with pytest.raises(Invalid, match="ledger, line 1"):
        await anext(Verifier(engine).verify("nonsense"))
    await engine.close()
    assert [each.get("subject") for each in records[:-1]] == [str(lost)]
    assert records[-1]["result"] == "broken"
    counts: Any = records[-1]["counts"]
    expected = {"ledger": 2, "items": 4, "cases": 2, "cases:duplicate": 1, "cases:dead-lettered": 1}
    assert {name: counts[name] for name in expected} == expected


async def test_nothing_is_found_while_the_hub_works(tmp_path: Path) -> None:
    flow = await open_flow(tmp_path)
    is_over = asyncio.Event()

    async def work() -> None:
        for number in range(LOAD):
            await flow.receive(f"mail {number}")
            await flow.receive(f"mail {number // 2}")
            await flow.settle()
            for case in (await flow.cases())[:2]:
                await flow.do(MIA, ReplyToCase, case, text=f"Answer {number}")
        await flow.settle()
        is_over.set()

    working = asyncio.create_task(work())
    runs, faults = 0, []
    while not is_over.is_set() and not working.done():
        faults += [fault async for fault in Verification(flow.engine).faults()]
        runs += 1
    await working
    await flow.engine.close()
    assert runs > 2
    assert faults == []

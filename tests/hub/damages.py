# ruff: noqa: S608  names in SQL are the test's own
"""What can be wrong with a store: each damage by its name, with what is found of it."""

import json
from collections.abc import Callable
from typing import Any

from schemas.ids import derive, sha256
from tests.hub.vandal import Vandal, set_to

ORIGINAL, PHOTO = sha256(b"answered"), sha256(b"photo")


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

"""Every string of a page comes from a catalogue: pages are read in a language whose every text is marked."""

import json
import re

import pytest
from babel.dates import get_day_names

from hub.console import rendering
from hub.console.words import ENGLISH
from schemas.commands import ClaimCase, MarkSpam, ReplyToCase
from schemas.ports import ReceiptStatus
from tests.hub.console.office import Office
from tests.hub.console.pseudo import WORD, pseudo, unmarked
from tests.hub.console.shop import CONFIGURATION, PASSWORD, PEOPLE
from tests.hub.console.test_company import edited
from tests.hub.console.test_operating import add_dead_letter, add_quarantined

OF_CUSTOMERS = "Zorble qwent, mibbo frand? MI Mara Ionescu example invoice mallory AO Atlantis Capital case"
OF_THINGS = (
    "Hubbub UTC Deutsch English polski română Melayu فارسی Ctrl Shift Enter Aa inbox Shop support from"
)
"""Names: of the product, of each language in itself, of keys, of our account; what the envelope of a mail notes, as it came."""
RELAYED = (
    "takes mail on port 2525",
    "the relay answers slowly",
    "more than 1000 parts",
    "the field <b>part</b> is missing",
    "Expected an expression",
    "unexpected end of template",
)
"""Words of servers and libraries, which the hub passes on as they came."""
IDENTIFIER = re.compile(
    r"#?[0-9A-Z]{5}-[0-9A-Z]{5}|[0-9a-f-]{36}|https?://|python-httpx[/.0-9]*|[\w.-]+@[\w.-]+|\w+(?:[.:=*]+[\w*]+)+|interactions|mail:a|\{[{%].*?[%}]\}"
)
"""Numbers of cases, ids, addresses, names of events and accounts."""
DAYS = " ".join(map(str, get_day_names("wide", locale=ENGLISH).values()))


def words(text: str) -> set[str]:
    return {each.casefold() for each in WORD.findall(text)}


EXEMPT = words(
    " ".join((DAYS, OF_CUSTOMERS, OF_THINGS, json.dumps([CONFIGURATION.model_dump(mode="json"), PEOPLE])))
)

PAGES = (
    "/console", "/console/queues/orders", "/console/queues/billing", "/console/views/mine", "/console/queues/billing/{case}",
    "/console/queues/orders/{other}",
    "/console/search", "/console/search?q=zorble", "/console/new", "/console/quarantine", "/console/quarantine/{item}",
    "/console/dead-letters", "/console/dead-letters/{letter}", "/console/health", "/console/organizations", "/console/blocked",
    "/console/team", "/console/audit", "/console/password",
    "/console/account/second-factor", "/console/account/views", "/console/account/preferences", "/console/account/sessions",
    "/console/company", "/console/company/queues", "/console/company/queues/orders", "/console/company/rules",
    "/console/company/rules/invoices", "/console/company/templates", "/console/company/templates/new",
    "/console/company/hours/new", "/console/company/automations/new", "/console/company/versions",
    "/console/company/brands",
    "/console/company/brands/default",
    "/console/company/person_attributes",
    "/console/company/person_attributes/new",
    "/console/company/versions/1", "/console/company/changes",
)  # fmt: skip


def strange(page: str) -> set[str]:
    found = {IDENTIFIER.sub("", text) for text in unmarked(page) if not any(each in text for each in RELAYED)}
    return {text for text in found if not words(text) <= EXEMPT}


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "catalogue", pseudo)


async def test_pages_say_nothing_that_is_in_no_catalogue(office: Office) -> None:
    case = await office.write("a", "invoice zorble", "Qwent mibbo", sender="zorble@mibbo.example")
    office.relay.status, office.relay.reason = ReceiptStatus.FAILED, "the message has no recipient"
    await office.do("ann", ClaimCase, case)
    await office.do("ann", ReplyToCase, case, text="Mibbo frand")
    other = await office.write("b", "Qwent", "Mibbo", sender="frand@mibbo.example")
    values = {
        "case": case.number,
        "other": other.number,
        "item": str(await add_quarantined(office, b"qwent")),
        "letter": str(await add_dead_letter(office)),
    }
    async with office.signed_in("eva") as eva:
        answers = {path: await eva.get(path.format(**values)) for path in PAGES}
    assert {path for path, answer in answers.items() if answer.status_code != 200} == set()
    pages = {path: answer.text for path, answer in answers.items()}
    found = {path: strange(page) for path, page in pages.items()}
    assert {path: each for path, each in found.items() if each} == {}
    shown = pages["/console/queues/billing/{case}"]
    assert "⟦⟨Billing⟩, because " in shown  # why it is here
    assert "⟦⟨Orders⟩, the default queue, because " in pages["/console/queues/orders/{other}"]
    assert "⟨⟦the message has no recipient⟧⟩" in shown  # what came back from the channel, recognized


REFUSED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("ann", "{billing}/snooze", {"choice": "never"}),
    ("ann", "{billing}/prioritize", {"priority": "very"}),
    ("ann", "{billing}/move", {"queue": "zorble"}),
    ("ann", "{billing}/tag", {}),
    ("ann", "{billing}/settle", {"message": "x", "state": "sent"}),
    ("ann", "{billing}/cancel", {"message": ""}),
    ("ann", "{billing}/merge", {"into": "zorble"}),
    ("ann", "{billing}/merge", {"into": "{number}"}),
    ("ann", "{billing}/assign", {"assignee": "lee"}),
    ("ann", "{billing}/write", {"mode": "reply", "text": "qwent", "cc": "mibbo"}),
    ("ann", "{billing}/write", {"mode": "reply", "text": "qwent", "later": "at", "later-at": "never"}),
    ("ann", "{billing}/link", {"other": "nobody@example.org"}),
    ("ann", "{billing}/split", {"queue": "orders", "subject": ""}),
    ("ann", "{spam}/resolve", {}),
    ("ann", "{spam}/snooze", {"choice": "hour"}),
    ("ann", "{spam}/write", {"mode": "reply", "text": "qwent"}),
    ("ann", "/console/new", {"to": "mibbo", "subject": "", "text": "qwent"}),
    ("ann", "/console/new", {"to": "zorble@mibbo.example", "subject": "qwent", "text": ""}),
    ("ann", "/console/new", {"to": "zorble@mibbo.example", "bcc": "support@shop.example", "subject": "qwent", "text": "x"}),
    ("ann", "/console/organizations", {"name": "mibbo"}),
    ("ann", "/console/password", {"old": "wrong", "new": "correct zorble battery", "again": "correct zorble battery"}),
    ("ann", "/console/password", {"old": PASSWORD, "new": "short", "again": "short"}),
    ("ann", "/console/account/second-factor/begin", {"password": "not mine"}),
    ("ann", "/console/account/preferences", {"zone": "Atlantis/Capital"}),
    ("eva", "/console/blocked", {"scheme": "domain", "value": "gmail.com"}),
    ("eva", "/console/blocked", {"scheme": "email", "value": "zorble"}),
    ("eva", "/console/organizations", {"name": "", "domains": "mibbo.example"}),
    ("eva", "/console/organizations", {"name": "mibbo", "domains": "gmail.com"}),
    ("eva", "/console/organizations", {"name": "mibbo", "domains": "zorble"}),
    ("eva", "/console/quarantine/{item}/replay", {}),
    ("eva", "/console/dead-letters/{letter}/replay", {}),
    ("eva", "/console/company/changes", {"do": "publish"}),
)  # fmt: skip
"""Who, where, with what: each is refused."""


async def test_refusals_say_nothing_that_is_in_no_catalogue(office: Office) -> None:
    case = await office.write("a", "invoice zorble", "Qwent mibbo", sender="zorble@mibbo.example")
    spam = await office.write("b", "invoice frand", "Qwent", sender="frand@mibbo.example")
    await office.do("ann", MarkSpam, spam)
    values = {
        "billing": f"/console/queues/billing/{case.number}",
        "spam": f"/console/queues/billing/{spam.number}",
        "number": case.number,
        "item": str(await add_quarantined(office, b"qwent")),
        "letter": str(await add_dead_letter(office)),
    }
    found, taken = {}, set()
    async with office.signed_in("ann") as ann, office.signed_in("eva") as eva:
        for who, path, fields in REFUSED:
            visitor = {"ann": ann, "eva": eva}[who]
            answer = await visitor.post(
                path.format(**values), **{name: each.format(**values) for name, each in fields.items()}
            )
            if answer.status_code < 400:
                taken.add(path)
            found[path, str(fields)] = strange(answer.text)
    assert taken == set()
    assert {at: each for at, each in found.items() if each} == {}


WRONG = (
    ("rules/invoices", {"when.0.field": "attachments", "when.0.operator": "at_least", "when.0.value": "many"}),
    ("rules/invoices", {"when.0.operator": "matches", "when.0.value": "("}),
    ("rules/invoices", {"when.0.operator": "matches", "when.0.value": "(?=x)"}),
    ("rules/invoices", {"when.0.operator": "matches", "when.0.value": "x*"}),
    ("rules/invoices", {"when.0.value": ""}),
    ("rules/invoices", {"when.0.field": "case.queue", "when.0.operator": "is", "when.0.value": "mibbo"}),
    ("rules/returns", {"tags": ""}),
    ("queues/orders", {"title": "", "first_response_minutes": "soon"}),
    ("queues/orders", {"first_response_minutes": "-3"}),
    ("templates/new", {"name": "Mibbo", "variant.0.text": "{{ case.nummer }} {{ zorble }}"}),
    ("templates/new", {"name": "mibbo", "variant.0.text": "{{ case.nummer }} {% for a in case.tags %}{{ loop.x }}{% endfor %}"}),
    ("templates/zorble", {"variant.0.text": "{{ case.number|mibbo }}{{ case.number() }}{% if %}"}),
    ("brands/default", {"signature": "{{ case.number }}"}),
    ("brands/default", {"signature": "{{ mibbo"}),
    ("person_attributes/new", {"name": "mibbo", "title": "Mibbo", "type": "choice", "choices": ""}),
    ("hours/new", {"name": "mibbo", "timezone": "Atlantis/Capital", "mon.0.opens": "17:00", "mon.0.closes": "09:00"}),
    ("automations/new", {"title": "Mibbo", "event": "replied", "action.0.action": "answer", "action.0.template": ""}),
)  # fmt: skip
"""Forms of the configuration, and what is wrong in them."""


async def test_problems_of_forms_say_nothing_that_is_in_no_catalogue(office: Office) -> None:
    found = {}
    async with office.signed_in("eva") as eva:
        await edited(eva, "templates/new", name="zorble", **{"variant.0.text": "qwent"})
        for path, changes in WRONG:
            answer = await edited(eva, path, **changes)
            if answer.is_redirect:
                answer = await eva.get(answer.headers["location"])
            assert (
                "⟦Something is not right yet." in answer.text
                or "⟦Kept in your draft. It can be" in answer.text
            )
            found[path, str(changes)] = strange(answer.text)
        found["changes", ""] = strange((await eva.get("/console/company/changes")).text)
    assert {at: each for at, each in found.items() if each} == {}

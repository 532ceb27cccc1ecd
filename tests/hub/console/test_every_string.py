"""Every string of a page comes from a catalogue: pages are read in a language whose every text is marked."""

import json
import re

import pytest
from babel.dates import get_day_names

from hub.console import rendering
from hub.console.words import ENGLISH
from schemas.commands import ClaimCase, ReplyToCase
from schemas.ports import ReceiptStatus
from tests.hub.console.office import CONFIGURATION, PEOPLE, Office
from tests.hub.console.pseudo import WORD, pseudo, unmarked
from tests.hub.console.test_operating import add_dead_letter, add_quarantined

OF_CUSTOMERS = "Zorble qwent, mibbo frand? MI Mara Ionescu example invoice mallory AO"
OF_THINGS = "Hubbub UTC Deutsch English polski română Melayu فارسی Ctrl Shift Enter Aa inbox Shop support address roles from"
"""Names: of the product, of each language in itself, of keys, of our account; what the audit trail and an envelope note, as the API has it."""
RELAYED = (
    "takes mail on port 2525",
    "the relay answers slowly",
    "more than 1000 parts",
    "the field <b>part</b> is missing",
)
"""Words of servers and libraries, which the hub passes on as they came."""
IDENTIFIER = re.compile(
    r"#?[0-9A-Z]{5}-[0-9A-Z]{5}|[0-9a-f-]{36}|https?://|python-httpx[/.0-9]*|[\w.-]+@[\w.-]+|\w+(?:[.:=*]+[\w*]+)+|interactions|mail:a"
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
    "/console/search", "/console/search?q=zorble", "/console/new", "/console/quarantine", "/console/quarantine/{item}",
    "/console/dead-letters", "/console/dead-letters/{letter}", "/console/health", "/console/organizations", "/console/blocked",
    "/console/team", "/console/audit", "/console/password",
    "/console/account/second-factor", "/console/account/views", "/console/account/preferences",
    "/console/account/single-sign-on", "/console/account/sessions",
    "/console/company", "/console/company/queues", "/console/company/queues/orders", "/console/company/rules",
    "/console/company/rules/invoices", "/console/company/templates", "/console/company/templates/new",
    "/console/company/hours/new", "/console/company/automations/new", "/console/company/versions",
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
    values = {
        "case": case.number,
        "item": str(await add_quarantined(office, b"qwent")),
        "letter": str(await add_dead_letter(office)),
    }
    async with office.signed_in("eva") as eva:
        found = {path: strange((await eva.get(path.format(**values))).text) for path in PAGES}
    assert {path: each for path, each in found.items() if each} == {}

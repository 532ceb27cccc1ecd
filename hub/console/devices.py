"""Where somebody is signed in: each session by browser, system and address, and the end of one or of all others."""

import re
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.account import URL, account_page
from hub.console.console import Console
from hub.console.words import Moment, Words
from hub.service import actor_of
from schemas.accounts import Session
from schemas.errors import Unknown

# The first that is found; browsers name those that they descend from, so the younger come first.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}")
LISTED = 200


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: UUID
    device: str
    agent: str
    address: str
    seen: Moment
    since: Moment
    is_this: bool
    provider: str


def device(agent: str, words: Words) -> str:
    """Browser and system in words, as far as the browser tells; it may tell anything."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return words.t("sessions.on", browser=browser, system=system)
    program = PROGRAM.match(agent)
    return browser or system or (program[0] if program else words.t("sessions.unknown"))


async def sessions_page(console: Console, request: Request) -> Response:
    principal, words = console.principal(request), console.words(request)
    found = (await console.context.accounts.sessions.list(principal.id, limit=LISTED)).items
    current: UUID = request.state.session.id
    rows = [_row(each, current, words) for each in found]
    rows.sort(key=lambda each: (not each.is_this, each.seen.iso), reverse=False)
    values = {"rows": rows, "has_others": len(rows) > 1}
    return await account_page(console, request, "account_sessions.html", "sessions", values)


def _row(session: Session, current: UUID, words: Words) -> SessionRow:
    return SessionRow(
        session.id,
        device(session.agent, words),
        session.agent,
        session.address,
        words.ago(session.seen_at),
        words.ago(session.created_at),
        session.id == current,
        words.t("sessions.by", provider=session.provider) if session.provider else "",
    )


async def end_session(console: Console, request: Request) -> Response:
    """One of one's own. What is over already is over."""
    principal, sessions = console.principal(request), console.context.accounts.sessions
    try:
        found = await sessions.get(UUID(request.path_params["id"]))
        if found.user == principal.id:
            await sessions.revoke(found.id, actor_of(principal))
    except (ValueError, Unknown):
        pass
    return console.pages.see(f"{URL}/sessions")


async def end_other_sessions(console: Console, request: Request) -> Response:
    principal = console.principal(request)
    current: UUID = request.state.session.id
    await console.context.accounts.sessions.revoke_others(principal.id, current, actor_of(principal))
    return console.pages.see(f"{URL}/sessions")

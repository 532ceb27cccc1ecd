"""Blocked senders: from a case by whoever works on it, and the list of all of them for supervisors."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response

from hub.console.asking import asked_of, done, refused
from hub.console.console import Console, only_with
from hub.console.places import ROOT
from hub.console.words import Moment, Words
from hub.http.rights import Right
from schemas.blocking import Block, HeldMessage, block_id
from schemas.cases import CaseState
from schemas.commands import ClearSpam, MarkSpam
from schemas.documents import Handle
from schemas.errors import Forbidden, Invalid, Stale, Unknown
from schemas.steps import References

URL = f"{ROOT}/blocked"
LISTED = 50
SCHEMES = ("email", "domain")


@dataclass(frozen=True, slots=True)
class BlockRow:
    url: str
    value: str
    known: str
    note: str
    by: str
    since: Moment
    held: int


@dataclass(frozen=True, slots=True)
class HeldRow:
    sender: str
    subject: str
    excerpt: str
    when: Moment


async def block_writer(console: Console, request: Request) -> Response:
    """The writer is blocked, and the case is spam: one click, and one takes both back."""
    asked = await asked_of(console, request)
    try:
        await console.context.blocks.block_writer(asked.desk.principal, asked.case, asked.text("note"))
        if asked.case.state is not CaseState.SPAM:
            command = MarkSpam(case=asked.case.id, actor=asked.actor)
            await console.context.service.command(asked.desk.principal, command, uuid4())
    except (Stale, Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "blocked", "unblock")


async def unblock_writer(console: Console, request: Request) -> Response:
    asked = await asked_of(console, request)
    found = await console.context.engine.load(References(documents={Handle: {asked.case.handle}}))
    handle = found.documents.get(asked.case.handle)
    try:
        if isinstance(handle, Handle):
            id = block_id(handle.scheme, handle.value)
            await console.context.blocks.unblock(asked.desk.principal, id, release=True)
        if asked.case.state is CaseState.SPAM:
            command = ClearSpam(case=asked.case.id, actor=asked.actor)
            await console.context.service.command(asked.desk.principal, command, uuid4())
    except (Stale, Invalid, Forbidden, Unknown) as refusal:
        return await refused(console, request, asked.desk, asked, refusal)
    return await done(console, request, asked, "unblocked", "block")


async def blocked(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    return await _list(console, request)


async def block(console: Console, request: Request) -> Response:
    principal = only_with(Right.LOOK, console, request)
    form = await request.form(max_files=0, max_fields=10)
    scheme, value = str(form.get("scheme", "email")), str(form.get("value", ""))
    try:
        await console.context.blocks.block(principal, scheme, value, str(form.get("note", ""))[:500])
    except Invalid as refusal:
        return await _list(console, request, console.words(request).t.to_change(refusal), value, 422)
    return console.pages.see(URL)


async def show_blocked(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    words, blocks, id = console.words(request), console.context.blocks, _id(request)
    found = await blocks.get(id)
    page = await blocks.held(id, LISTED, request.query_params.get("after"))
    values = {
        "block": await _row(console, found, words),
        "rows": [_held(each, words) for each in page.items],
        "next": page.next,
    }
    return await console.page(request, "blocked_sender.html", "blocked", found.value, values)


async def unblock(console: Console, request: Request) -> Response:
    principal = only_with(Right.LOOK, console, request)
    form = await request.form(max_files=0, max_fields=5)
    await console.context.blocks.unblock(principal, _id(request), release=bool(form.get("release")))
    return console.pages.see(URL)


async def _list(
    console: Console, request: Request, problem: str = "", value: str = "", status: int = 200
) -> Response:
    words, blocks = console.words(request), console.context.blocks
    page = await blocks.list(LISTED, request.query_params.get("after"))
    suggested = [
        (each.scheme, each.value, words.t.count("blocked.spam-cases", each.cases))
        for each in await blocks.suggestions()
    ]
    values = {
        "rows": [await _row(console, each, words) for each in page.items],
        "next": page.next,
        "suggested": suggested,
        "problem": problem,
        "value": value,
        "schemes": [(each, words.t(f"blocked.by-{each}")) for each in SCHEMES],
    }
    return await console.page(request, "blocked.html", "blocked", words.t("blocked.title"), values, status)


async def _row(console: Console, found: Block, words: Words) -> BlockRow:
    known = words.t.either(f"blocked.by-{found.scheme}", found.scheme)
    held = await console.context.blocks.held_count(found.id)
    by = found.by.name or found.by.id
    return BlockRow(f"{URL}/{found.id}", found.value, known, found.note, by, words.ago(found.since), held)


def _held(each: HeldMessage, words: Words) -> HeldRow:
    sender = f"{each.sender_name} <{each.sender}>" if each.sender_name else each.sender
    return HeldRow(
        sender, each.subject or words.t("list.no-subject"), each.excerpt, words.ago(each.received_at)
    )


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Unknown("nobody is blocked by this") from None

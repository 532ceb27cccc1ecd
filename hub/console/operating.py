"""For supervisors: what could not be read, and what could not be processed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console, only_with
from hub.console.places import ROOT
from hub.console.rows import channel_name
from hub.console.words import Moment, Words
from hub.http.rights import Right
from hub.service import actor_of
from schemas.errors import Refused, Unknown
from schemas.events import Actor
from schemas.letters import DeadLetter, QuarantineItem

Act = Callable[[UUID, Actor], Awaitable[None]]
SHOWN_BYTES = 20_000
LETTERS = 50


@dataclass(frozen=True, slots=True)
class LetterRow:
    url: str
    when: Moment
    what: str
    stage: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class LetterView:
    """One of them, with the beginning of its original as text."""

    kind: str
    url: str
    row: LetterRow
    state: str
    is_open: bool
    facts: list[tuple[str, str]]
    original: str
    cut: str


async def quarantine(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    words = console.words(request)
    page = await console.context.letters.quarantine(limit=LETTERS, after=request.query_params.get("after"))
    rows = [_quarantine_row(each, words) for each in page.items]
    return await _letters(console, request, "quarantine", rows, page.next)


async def dead_letters(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    words = console.words(request)
    page = await console.context.letters.dead_letters(limit=LETTERS, after=request.query_params.get("after"))
    rows = [_dead_row(each, words) for each in page.items]
    return await _letters(console, request, "dead-letters", rows, page.next)


async def _letters(
    console: Console, request: Request, kind: str, rows: list[LetterRow], next_page: str | None
) -> Response:
    t = console.words(request).t
    key = "quarantine" if kind == "quarantine" else "dead"
    values = {
        "kind": kind,
        "title": t(f"letters.{key}"),
        "about": t(f"letters.{key}-text"),
        "rows": rows,
        "next": next_page,
    }
    return await console.page(request, "letters.html", kind, t(f"letters.{key}"), values)


async def quarantined(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    item = await console.context.letters.quarantined(_id(request))
    return await _quarantined(console, request, item)


async def _quarantined(
    console: Console, request: Request, item: QuarantineItem, problem: str = ""
) -> Response:
    words = console.words(request)
    try:
        content = await console.context.letters.original(item)
    except Unknown:
        content = b""
    row = _quarantine_row(item, words)
    facts = [
        ("channel", channel_name(words, item.channel)),
        ("account", item.account),
        *item.envelope.items(),
    ]
    return await _letter(console, request, "quarantine", row, str(item.state), facts, content, problem)


async def dead_letter(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    letter = await console.context.letters.dead_letter(_id(request))
    return await _dead(console, request, letter)


async def _dead(console: Console, request: Request, letter: DeadLetter, problem: str = "") -> Response:
    words = console.words(request)
    facts = [
        ("event", str(letter.event)),
        ("type", letter.event_type),
        ("key", letter.key),
        ("consumer", consumer_name(letter.consumer, words)),
        *letter.attributes.items(),
    ]
    row = _dead_row(letter, words)
    return await _letter(
        console, request, "dead-letters", row, str(letter.state), facts, letter.value, problem
    )


async def _letter(
    console: Console,
    request: Request,
    kind: str,
    row: LetterRow,
    state: str,
    facts: list[tuple[str, str]],
    content: bytes,
    problem: str,
) -> Response:
    words = console.words(request)
    cut = words.t("letters.original-cut", n=words.size(SHOWN_BYTES), size=words.size(len(content)))
    view = LetterView(
        kind=kind,
        url=row.url,
        row=row,
        state=words.t(f"letters.state-{state}"),
        is_open=state == "open",
        facts=[(words.t.either(f"letters.facts.{name}", name), value) for name, value in facts if value],
        original=content[:SHOWN_BYTES].decode("utf-8", "replace").replace("\x00", "�"),
        cut=cut if len(content) > SHOWN_BYTES else "",
    )
    title = words.t("letters.quarantine" if kind == "quarantine" else "letters.dead")
    values = {"letter": view, "title": title, "problem": problem}
    return await console.page(request, "letter.html", kind, title, values, 422 if problem else 200)


async def settle_quarantined(console: Console, request: Request) -> Response:
    letters, id = console.context.letters, _id(request)
    acts = {"replay": letters.replay_quarantined, "drop": letters.drop_quarantined}

    async def again(problem: str) -> Response:
        return await _quarantined(console, request, await letters.quarantined(id), problem)

    return await _settled(console, request, acts, f"{ROOT}/quarantine/{id}", again)


async def settle_dead_letter(console: Console, request: Request) -> Response:
    letters, id = console.context.letters, _id(request)
    acts = {"replay": letters.replay_dead_letter, "drop": letters.drop_dead_letter}

    async def again(problem: str) -> Response:
        return await _dead(console, request, await letters.dead_letter(id), problem)

    return await _settled(console, request, acts, f"{ROOT}/dead-letters/{id}", again)


async def _settled(
    console: Console,
    request: Request,
    acts: Mapping[str, Act],
    url: str,
    again: Callable[[str], Awaitable[Response]],
) -> Response:
    """`again` shows the letter with why it cannot be settled so."""
    actor = actor_of(only_with(Right.SETTLE, console, request))
    try:
        await _act(acts, request)(_id(request), actor)
    except Unknown:
        raise
    except Refused as refusal:
        return await again(console.words(request).t.why(refusal))
    return console.pages.see(url)


def _quarantine_row(item: QuarantineItem, words: Words) -> LetterRow:
    return LetterRow(
        f"{ROOT}/quarantine/{item.id}",
        words.ago(item.received_at),
        f"{channel_name(words, item.channel)} · {item.account}",
        words.t.either(f"letters.stages.{item.stage}", item.stage),
        item.reason,
        item.attempts,
    )


def _dead_row(letter: DeadLetter, words: Words) -> LetterRow:
    return LetterRow(
        f"{ROOT}/dead-letters/{letter.id}",
        words.ago(letter.added_at),
        f"{letter.event_type.removeprefix('hubbub.')} · {consumer_name(letter.consumer, words)}",
        words.t.either(f"letters.stages.{letter.stage}", letter.stage),
        letter.reason,
        letter.attempts,
    )


def consumer_name(name: str, words: Words) -> str:
    return words.t.either(f"letters.consumers.{name}", name)


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Unknown("there is no such item") from None


def _act(acts: Mapping[str, Act], request: Request) -> Act:
    found = acts.get(request.path_params["action"])
    if found is None:
        raise Unknown("there is no such action")
    return found

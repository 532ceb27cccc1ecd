"""For supervisors: what could not be read, what could not be processed, and how the channels are."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console, only_with
from hub.console.places import ROOT
from hub.console.rows import channel_name
from hub.console.words import Moment, Words
from hub.http.connectors import ConnectorOut, known_connectors
from hub.http.rights import Right
from hub.service import actor_of
from schemas.errors import Refused, Unknown
from schemas.events import Actor
from schemas.letters import DeadLetter, QuarantineItem
from schemas.ports import HealthState

Act = Callable[[UUID, Actor], Awaitable[None]]
SHOWN_BYTES = 20_000
LETTERS = 50
HEALTH_ICONS = {
    HealthState.OK: "circle-check",
    HealthState.STARTING: "refresh-cw",
    HealthState.DEGRADED: "triangle-alert",
    HealthState.STOPPED: "circle-x",
}


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


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    name: str
    state: str
    icon: str
    detail: str
    last: str
    is_well: bool


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
        ("consumer", _consumer(letter.consumer, words)),
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
    actor = actor_of(only_with(Right.SETTLE, console, request))
    letters, id = console.context.letters, _id(request)
    acts = {"replay": letters.replay_quarantined, "drop": letters.drop_quarantined}
    try:
        await _act(acts, request)(id, actor)
    except Refused as refusal:
        if isinstance(refusal, Unknown):
            raise
        return await _quarantined(
            console, request, await letters.quarantined(id), console.words(request).t.why(refusal)
        )
    return console.pages.see(f"{ROOT}/quarantine/{id}")


async def settle_dead_letter(console: Console, request: Request) -> Response:
    actor = actor_of(only_with(Right.SETTLE, console, request))
    letters, id = console.context.letters, _id(request)
    acts = {"replay": letters.replay_dead_letter, "drop": letters.drop_dead_letter}
    try:
        await _act(acts, request)(id, actor)
    except Refused as refusal:
        if isinstance(refusal, Unknown):
            raise
        return await _dead(
            console, request, await letters.dead_letter(id), console.words(request).t.why(refusal)
        )
    return console.pages.see(f"{ROOT}/dead-letters/{id}")


async def health(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    words, context = console.words(request), console.context
    channels = [_health(each, words) for each in await known_connectors(context)]
    names = list(context.consumers)
    lags = await asyncio.gather(*(context.engine.lag(name, context.consumers[name]) for name in names))
    values = {
        "channels": channels,
        "consumers": [(_consumer(name, words), lag) for name, lag in zip(names, lags, strict=True)],
    }
    return await console.page(request, "health.html", "health", words.t("health.title"), values)


def _health(found: ConnectorOut, words: Words) -> ChannelHealth:
    last = words.t("health.never")
    if found.last_success_at is not None:
        last = words.t("health.last", ago=words.ago(found.last_success_at).words)
    for key, moment in (("health.item", found.last_item_at), ("health.oldest", found.oldest_unfetched_at)):
        if moment is not None:
            last += " · " + words.t(key, ago=words.ago(moment).words)
    if found.next_retry_at is not None:
        last += " · " + words.t("health.retry", at=f"{found.next_retry_at:%H:%M:%S}")
    is_silent = found.silent_seconds is not None
    state = words.t("health.silent") if is_silent else words.t(f"health.{found.state}")
    icon = HEALTH_ICONS[HealthState.DEGRADED if is_silent else found.state]
    is_well = found.state in {HealthState.OK, HealthState.STARTING} and not is_silent
    return ChannelHealth(found.name, state, icon, words.t.said(found.detail), last, is_well)


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
        f"{letter.event_type.removeprefix('hubbub.')} · {_consumer(letter.consumer, words)}",
        words.t.either(f"letters.stages.{letter.stage}", letter.stage),
        letter.reason,
        letter.attempts,
    )


def _consumer(name: str, words: Words) -> str:
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

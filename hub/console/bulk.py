"""One action on many cases of a list. Each is done by itself: what cannot be done to one is said, and the others go on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.actions import ACTIONS, Action
from hub.console.asking import Asked, command_of, refusal_words
from hub.console.console import Console
from hub.console.desk import Desk
from hub.console.reading import list_page, place_of
from hub.service import actor_of
from schemas.errors import Forbidden, Invalid, Stale, Unknown
from schemas.sentences import said

OFFERED: Mapping[str, str] = {
    "claim": "",
    "release": "",
    "assign": "assignee",
    "resolve": "",
    "reopen": "",
    "snooze": "choice",
    "wake": "",
    "tag": "",
    "prioritize": "priority",
    "move": "queue",
    "spam": "",
    "not-spam": "",
}
"""Action -> the field that its button fills: `snooze:hour` snoozes for an hour."""
MOST = 200
AT_ONCE = 8
TOLD_AT_MOST = 3


@dataclass(frozen=True, slots=True)
class Done:
    """`problem` is empty for a case to which it was done."""

    number: str
    problem: str = ""


async def act_on_many(console: Console, request: Request) -> Response:
    """The list again, with how many it was done to and why not to the others."""
    desk, form = console.desk(request), await request.form()
    name, _, value = str(form.get("action", "")).partition(":")
    if name not in OFFERED:
        raise Unknown("there is no such action")
    action = ACTIONS[name]
    if OFFERED[name]:
        form = FormData([*form.multi_items(), (OFFERED[name], value)])
    numbers = [each for each in dict.fromkeys(form.getlist("cases")) if isinstance(each, str)]
    if not numbers or len(numbers) > MOST:
        raise Invalid(said("choose between one and {n} cases", n=MOST))
    gate = asyncio.Semaphore(AT_ONCE)
    done = await asyncio.gather(*(_one(console, desk, form, action, each, gate) for each in numbers))
    changed = [each.number for each in done if not each.problem]
    undo = None
    if changed and action.undo and action.undo in OFFERED and not action.needs_fields_to_undo:
        undo = {
            "url": f"{place_of(request).path}/bulk{place_of(request).query()}",
            "cases": changed,
            "action": action.undo,
        }
    return await list_page(console, request, desk, {"said": _said(desk, done), "undo": undo})


async def _one(
    console: Console, desk: Desk, form: FormData, action: Action, number: str, gate: asyncio.Semaphore
) -> Done:
    async with gate:
        try:
            case = await console.context.service.case(desk.principal, number)
        except Unknown as error:
            return Done(number[:20], desk.words.t.said(error.sentence))
        asked = Asked(case, form, actor_of(desk.principal), desk.words, desk)
        try:
            await command_of(console, asked, action.command(asked))
        except (Stale, Invalid, Forbidden, Unknown) as refusal:
            return Done(case.number, await refusal_words(console, desk, case, refusal))
        return Done(case.number)


def _said(desk: Desk, done: Sequence[Done]) -> str:
    t = desk.words.t
    refused = [each for each in done if each.problem]
    said = t.count("bulk.done", len(done) - len(refused))
    if not refused:
        return said
    why = "; ".join(f"#{each.number}: {each.problem}" for each in refused[:TOLD_AT_MOST])
    return f"{said} {t.count('bulk.refused', len(refused))} {why}"

"""What the configuration consists of: its parts, and the list of each kind of item. Rows are moved in the draft."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hub.configuring import Standing
from hub.console.configuring import saying
from hub.console.configuring.checking import moved
from hub.console.configuring.pages import BASE, FIXED, ICONS, KINDS, kind_of, opening, page
from hub.console.console import Console, only_with
from hub.http.rights import Right
from schemas.configuration import BusinessHours

ORDERED = frozenset({"rules", "automations"})


@dataclass(frozen=True, slots=True)
class ItemRow:
    name: str
    title: str
    url: str
    lines: list[str]
    mark: str
    """`new` or `changed` in the draft."""
    has_problem: bool
    state: str = ""
    is_default: bool = False


async def company(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    standing = await console.context.configuring.standing(principal.id)
    counts = [(kind, ICONS[kind], len(getattr(standing.draft.configuration, kind))) for kind in KINDS]
    return await page(console, request, "company/index.html", "index", standing, {"kinds": counts})


async def list_items(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    kind = kind_of(request)
    return await _list(console, request, kind, await console.context.configuring.standing(principal.id))


async def act_on_list(console: Console, request: Request) -> Response:
    """Move a row, or say how many automatic answers one sender may get."""
    principal = only_with(Right.CONFIGURE, console, request)
    kind = kind_of(request)
    form = await request.form(max_files=0, max_fields=20)
    do, _, name = str(form.get("do", "")).partition(":")
    configuring = console.context.configuring
    if do in {"up", "down"} and kind in ORDERED:
        by = -1 if do == "up" else 1
        await configuring.edit(principal.id, lambda it: moved(it, kind, name, by))
    elif do == "answers" and kind == "automations":
        most = str(form.get("automatic_answers_per_day", "")).strip()
        if not most.isdecimal() or len(most) > 4:
            problem = {"automatic_answers_per_day": console.words(request).t("company.whole-number")}
            standing = await configuring.standing(principal.id)
            return await _list(console, request, kind, standing, problem)
        update = {"automatic_answers_per_day": int(most)}
        await configuring.edit(principal.id, lambda it: it.model_copy(update=update))
    return console.pages.see(f"{BASE}/{kind}")


async def _list(
    console: Console,
    request: Request,
    kind: str,
    standing: Standing,
    problems: Mapping[str, str] | None = None,
) -> Response:
    words = console.words(request)
    draft = standing.draft
    before = {each.name: each for each in getattr(await console.context.configuring.at(draft.base), kind)}
    rows = [
        ItemRow(
            name=each.name,
            title=getattr(each, "title", "") or each.name,
            url=f"{BASE}/{kind}/{each.name}",
            lines=saying.summary(each, words.t),
            mark="" if before.get(each.name) == each else "changed" if each.name in before else "new",
            has_problem=any(place.startswith(f"{kind}[{index}]") for place in standing.problems),
            state=opening(each, words) if isinstance(each, BusinessHours) else "",
            is_default=kind == "queues" and each.name == draft.configuration.default_queue,
        )
        for index, each in enumerate(getattr(draft.configuration, kind))
    ]
    values = {
        "kind": kind,
        "rows": rows,
        "is_ordered": kind in ORDERED,
        "is_fixed": kind in FIXED,
        "kept": request.query_params.get("kept", ""),
        "answers": draft.configuration.automatic_answers_per_day,
        "problems": problems or {},
    }
    return await page(console, request, "company/list.html", kind, standing, values, 422 if problems else 200)

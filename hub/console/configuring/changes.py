"""What a draft changes, publishing it with a reason, the versions so far, and back to one of them in one click."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hub.configuring import LONGEST_NOTE
from hub.console.configuring import saying
from hub.console.configuring.pages import BASE, KINDS, page
from hub.console.console import Console, only_with
from hub.console.words import Catalogue, Moment, Words
from hub.http.rights import Right
from hub.service import actor_of
from processors.configuration_difference import Change, changes
from processors.configuration_merging import Met
from schemas.configuration import Configuration, Origin
from schemas.documents import PublishedConfiguration
from schemas.errors import Forbidden, Invalid, Stale, Unknown

VERSIONS = 30


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change in words: of what, what happened, and the lines before and after."""

    subject: str
    what: str
    url: str
    old: Sequence[str]
    new: Sequence[str]


@dataclass(frozen=True, slots=True)
class VersionView:
    number: int
    when: Moment
    who: str
    note: str
    origin: str
    back_to: int | None
    is_current: bool
    url: str


def change_view(change: Change, t: Catalogue, now: Configuration) -> ChangeView:
    kind = t.either(f"company.one.{change.kind}", change.kind)
    items = {each.name: each for each in getattr(now, change.kind, ()) if hasattr(each, "name")}
    item = items.get(change.name)
    title = getattr(item, "title", "") or change.name
    subject = f"{kind} “{title}”" if change.name else kind
    if change.field:
        subject += f", {t.either(f'company.part.{change.field}', change.field)}"
    url = f"{BASE}/{change.kind}/{change.name}" if change.kind in KINDS and item is not None else ""
    old = saying.words(change.old, t) if change.what != "new" else []
    new = saying.words(change.new, t) if change.what != "removed" else []
    return ChangeView(subject, change.what, url, old, new)


def version_view(published: PublishedConfiguration, words: Words, current: int) -> VersionView:
    return VersionView(
        published.number,
        words.ago(published.published_at),
        published.actor.name or published.actor.id or words.t("actor.system"),
        published.note,
        words.t(f"company.origin.{published.origin}"),
        published.back_to,
        published.number == current,
        f"{BASE}/versions/{published.number}",
    )


async def show_changes(console: Console, request: Request) -> Response:
    only_with(Right.CONFIGURE, console, request)
    return await _changes(console, request)


async def _changes(
    console: Console, request: Request, problem: str = "", met: Sequence[Met] = (), status: int = 200
) -> Response:
    words = console.words(request)
    standing = await console.context.configuring.standing(console.principal(request).id)
    t = words.t
    now = standing.draft.configuration
    overtaken = standing.overtaken
    values = {
        "changes": [change_view(each, t, now) for each in standing.changes],
        "problems": [(*_place(place, now, t), t.said(text)) for place, text in standing.problems.items()],
        "overtaken": version_view(overtaken, words, overtaken.number) if overtaken else None,
        "met": [f"{t.either(f'company.one.{each.kind}', each.kind)} {each.name}".strip() for each in met],
        "problem": problem,
        "longest_note": LONGEST_NOTE,
    }
    return await page(console, request, "company/changes.html", "changes", standing, values, status)


def _place(place: str, configuration: Configuration, t: Catalogue) -> tuple[str, str]:
    """The form that a problem is mended in, where there is one, and of what it is."""
    kind, _, rest = place.partition("[")
    index, _, within = rest.partition("]")
    items = getattr(configuration, kind, ()) if kind in KINDS else ()
    noun = t.either(f"company.one.{kind}", place)
    if not index.isdecimal() or int(index) >= len(items):
        return f"{BASE}/queues" if place == "default_queue" else "", noun
    item = items[int(index)]
    part = within.removeprefix(".").partition(".")[0].partition("[")[0]
    said = f"{noun} “{getattr(item, 'title', '') or item.name}”"
    shown = t.either(f"company.part.{part}", part)
    return f"{BASE}/{kind}/{item.name}", f"{said}, {shown}" if part else said


async def act_on_changes(console: Console, request: Request) -> Response:
    """`publish`, `drop`, or `take-over` what was published meanwhile."""
    principal = only_with(Right.CONFIGURE, console, request)
    form = await request.form(max_files=0, max_fields=10)
    configuring = console.context.configuring
    do = str(form.get("do", ""))
    if do == "drop":
        await configuring.drop(principal.id)
        return console.pages.see(BASE)
    try:
        if do == "take-over":
            _, met = await configuring.take_over(principal.id)
            return await _changes(console, request, met=met)
        number = await configuring.publish(
            principal, actor_of(principal), str(form.get("note", "")), Origin.CONSOLE
        )
    except (Stale, Invalid, Forbidden) as refusal:
        return await _changes(console, request, _said(refusal, console.words(request).t), status=409)
    return console.pages.see(f"{BASE}/versions/{number}?done=1")


def _said(refusal: Stale | Invalid | Forbidden, t: Catalogue) -> str:
    return t("company.overtaken-refused") if isinstance(refusal, Stale) else t.why(refusal)


async def show_versions(console: Console, request: Request) -> Response:
    principal = only_with(Right.CONFIGURE, console, request)
    context, words = console.context, console.words(request)
    found = await context.publisher.versions(VERSIONS, request.query_params.get("after"))
    number, _ = await context.configuring.in_force()
    standing = await context.configuring.standing(principal.id)
    rows = [version_view(each, words, number) for each in found.items]
    values = {"rows": rows, "next": found.next, "current": number}
    return await page(console, request, "company/versions.html", "versions", standing, values)


async def show_version(console: Console, request: Request) -> Response:
    only_with(Right.CONFIGURE, console, request)
    return await _version(console, request)


async def _version(console: Console, request: Request, problem: str = "", status: int = 200) -> Response:
    context, words = console.context, console.words(request)
    published = await context.publisher.version(_number(request))
    current, in_force = await context.configuring.in_force()
    before = await context.configuring.at(published.number - 1)
    t = words.t
    values = {
        "version": version_view(published, words, current),
        "changes": [
            change_view(each, t, published.configuration) for each in changes(before, published.configuration)
        ],
        "undone": [
            change_view(each, t, published.configuration)
            for each in changes(in_force, published.configuration)
        ],
        "before": published.number - 1,
        "current": current,
        "problem": problem,
        "is_fresh": bool(request.query_params.get("done")),
        "longest_note": LONGEST_NOTE,
    }
    standing = await context.configuring.standing(console.principal(request).id)
    return await page(console, request, "company/version.html", "versions", standing, values, status)


async def go_back(console: Console, request: Request) -> Response:
    """Publish an older version anew, over the one that the page showed as in force."""
    principal = only_with(Right.CONFIGURE, console, request)
    form = await request.form(max_files=0, max_fields=10)
    over = str(form.get("over", ""))
    if not over.isdecimal() or len(over) > 9:
        raise Unknown("there is no such version")
    try:
        number = await console.context.configuring.back(
            principal,
            actor_of(principal),
            _number(request),
            int(over),
            str(form.get("note", "")),
            Origin.CONSOLE,
        )
    except (Stale, Invalid, Forbidden) as refusal:
        return await _version(console, request, _said(refusal, console.words(request).t), 409)
    return console.pages.see(f"{BASE}/versions/{number}?done=1")


def _number(request: Request) -> int:
    written = str(request.path_params["number"])
    if not written.isdecimal() or len(written) > 9 or int(written) < 1:
        raise Unknown("there is no such version")
    return int(written)

"""Find a case by number, name, handle or words."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.console.belonging import OrganizationRow, row_of
from hub.console.console import Console
from hub.console.faces import faces
from hub.console.places import ROOT
from hub.console.words import Moment
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.steps import Hit, Page, References

HITS = 20
ORGANIZATIONS = 5
LONGEST_WORDS = 200
OPENS, CLOSES = "\x02", "\x03"


@dataclass(frozen=True, slots=True)
class HitView:
    """`excerpt` is in pieces: text, and whether it is what was looked for."""

    number: str
    url: str
    name: str
    subject: str
    state: str
    queue: str
    when: Moment
    excerpt: tuple[tuple[str, bool], ...]


def pieces(excerpt: str) -> tuple[tuple[str, bool], ...]:
    found: list[tuple[str, bool]] = []
    for index, part in enumerate(excerpt.split(OPENS)):
        marked, closed, rest = part.partition(CLOSES)
        if index and closed:
            found.append((marked, True))
            found.append((rest, False))
        else:
            found.append((part.replace(CLOSES, ""), False))
    return tuple(each for each in found if each[0])


async def search(console: Console, request: Request) -> Response:
    desk = console.desk(request)
    words = request.query_params.get("q", "").strip()[:LONGEST_WORDS]
    page: Page[Hit] = Page([])
    if words:
        try:
            page = await console.context.service.search(
                desk.principal, words, HITS, request.query_params.get("after")
            )
        except Invalid:
            page = Page([])  # nothing in it to look for
    hits = await _views(console, request, page)
    if request.query_params.get("part") == "hits":
        return console.pages.render(request, "fragments/hits.html", {"hits": hits})
    t = desk.words.t
    title = f"{words} · {t('search.title')}" if words else t("search.title")
    values = {
        "searched": words,
        "again": f"{ROOT}/search?{urlencode({'q': words})}",
        "is_first": not request.query_params.get("after"),
        "hits": hits,
        "organizations": await _organizations(console, request, words),
        "found": t("search.found-more", n=len(hits)) if page.next else t.count("search.found", len(hits)),
        "next": f"{ROOT}/search?{urlencode({'q': words, 'after': page.next})}" if page.next else None,
    }
    return await console.page(request, "search.html", "search", title, values)


async def _organizations(console: Console, request: Request, words: str) -> list[OrganizationRow]:
    """Above the first cases that were found."""
    if not words or request.query_params.get("after"):
        return []
    page = await console.context.organizations.find(words, ORGANIZATIONS)
    return [row_of(each) for each in page.items[:ORGANIZATIONS]]


async def _views(console: Console, request: Request, page: Page[Hit]) -> list[HitView]:
    if not page.items:
        return []
    desk, engine = console.desk(request), console.context.engine
    found = await engine.load(References(documents={Case: {hit.case for hit in page.items}}))
    cases = {each.id: each for each in found.documents.values() if isinstance(each, Case)}
    seen = [each for each in cases.values() if desk.principal.role_in(each.queue) is not None]
    known = await faces(engine, desk.principal, seen)
    allowed = {each.id for each in seen}
    return [
        HitView(
            number=hit.number,
            url=f"{ROOT}/cases/{hit.number}",
            name=known.customer(cases[hit.case].handle),
            subject=cases[hit.case].subject or desk.words.t("list.no-subject"),
            state=desk.words.t(f"state.{cases[hit.case].state}"),
            queue=desk.queue_title(cases[hit.case].queue),
            when=desk.words.ago(hit.occurred_at),
            excerpt=pieces(hit.excerpt),
        )
        for hit in page.items
        if hit.case in allowed
    ]

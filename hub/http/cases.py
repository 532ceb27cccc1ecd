"""Queues, cases, their timelines and why they are where they are."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from hub.canned import canned_answers
from hub.case_lists import OPEN_STATES, SORTS, CaseFilter
from hub.http.context import AppContext
from hub.http.paging import PageOf, Pages
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Reader, Writer
from hub.http.views import CaseOut, EntryOut, ExplanationOut, HitOut, QueueOut
from hub.http.writing_views import CannedAnswerOut, ColleagueOut, DraftIn, KeptDraftOut, PresenceIn
from schemas.capabilities import Capabilities
from schemas.cases import CaseState
from schemas.documents import Case, EntryKind
from schemas.errors import Invalid

REFERENCE_LENGTH = 64
WORDS_LENGTH = 500
ME = "me"

router = APIRouter(prefix="/api/v1", route_class=Operation)


def of_request(request: Request) -> AppContext:
    context: AppContext = request.app.state.context
    return context


Context = Annotated[AppContext, Depends(of_request)]
Reference = Annotated[
    str,
    Path(
        max_length=REFERENCE_LENGTH,
        description="the case's id, or its number as people read it out",
        examples=["7K3M9-Q2XAB"],
    ),
]


def reference(text: str) -> UUID | str:
    """A case as it was named: an id, or else a number."""
    try:
        return UUID(text)
    except ValueError:
        return text


def etag(case: Case) -> str:
    """The strong validator of a case: its sequence (RFC 9110, section 8.8.3)."""
    return f'"{case.revision}"'


def matches(header: str, tag: str) -> bool:
    """Whether If-None-Match names this tag; weakly compared (RFC 9110, section 13.1.2)."""
    return header.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in header.split(",")}


def case_filter(
    principal: Reader,
    *,
    queue: Annotated[str | None, Query(max_length=100, description="cases of this queue alone")] = None,
    state: Annotated[
        list[CaseState] | None, Query(description="repeat for several; default: open and waiting")
    ] = None,
    all_states: Annotated[bool, Query(description="cases in every state")] = False,
    assignee: Annotated[str | None, Query(max_length=100, description="a user's name, or `me`")] = None,
    unassigned: Annotated[bool, Query(description="cases that nobody has")] = False,
    brand: Annotated[str | None, Query(max_length=100)] = None,
    handle: Annotated[
        list[UUID] | None, Query(max_length=200, description="cases that these handles opened")
    ] = None,
    overdue: Annotated[bool, Query(description="first response is late")] = False,
    sort: Annotated[str, Query(description=f"one of {', '.join(SORTS)}", examples=["waiting"])] = "waiting",
) -> CaseFilter:
    if sort not in SORTS:
        raise Invalid("sort is not known", {"query.sort": f"use one of {', '.join(SORTS)}"})
    states = () if all_states else tuple(state or OPEN_STATES)
    return CaseFilter(
        queue=queue,
        states=states,
        assignee=principal.id if assignee == ME else assignee,
        unassigned=unassigned,
        brand=brand,
        handles=tuple(handle or ()),
        overdue=overdue,
        sort=sort,
    )


@router.get("/queues", tags=["cases"], summary="Queues with live counts", responses=responses(401, 403))
async def list_queues(context: Context, principal: Reader) -> list[QueueOut]:
    """The queues that you may read, in the order of the configuration."""
    return [QueueOut.of(each) for each in await context.service.queues(principal)]


@router.get("/cases", tags=["cases"], summary="List cases", responses=responses(401, 403, 404, 422))
async def list_cases(
    context: Context, principal: Reader, pages: Pages, wanted: Annotated[CaseFilter, Depends(case_filter)]
) -> PageOf[CaseOut]:
    """Cases of your queues, a page at a time."""
    page = await context.service.cases(principal, wanted, pages.limit, pages.after)
    return pages.page(page, CaseOut.of)


@router.get(
    "/cases/{case}",
    tags=["cases"],
    summary="Show a case",
    response_model=CaseOut,
    responses={
        304: {"description": "Not Modified: the case is as `If-None-Match` says"},
        **responses(401, 403, 404),
    },
)
async def show_case(
    context: Context,
    principal: Reader,
    case: Reference,
    response: Response,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> CaseOut | Response:
    """The case, with its sequence as ETag."""
    found = await context.service.case(principal, reference(case))
    headers = {"ETag": etag(found), "Cache-Control": "private, no-cache"}
    if if_none_match is not None and matches(if_none_match, etag(found)):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return CaseOut.of(found)


@router.get(
    "/cases/{case}/timeline",
    tags=["cases"],
    summary="Timeline of a case",
    responses=responses(401, 403, 404, 422),
)
async def case_timeline(
    context: Context,
    principal: Reader,
    case: Reference,
    pages: Pages,
    kind: Annotated[list[EntryKind] | None, Query(description="repeat for several; default: all")] = None,
) -> PageOf[EntryOut]:
    """Messages, answers, notes and steps of the case and of those merged into it, newest first."""
    found = await context.service.case(principal, reference(case))
    page = await context.service.timeline(principal, found, pages.limit, pages.after, kind or ())
    return pages.page(page, EntryOut.of)


@router.get(
    "/cases/{case}/explanation",
    tags=["cases"],
    summary="Why the case is where it is",
    responses=responses(401, 403, 404),
)
async def explain_case(context: Context, principal: Reader, case: Reference) -> ExplanationOut:
    """Plain sentences, then each rule with its clauses and the values that they looked at."""
    found = await context.service.case(principal, reference(case))
    return ExplanationOut.model_validate(await context.service.explain(principal, found))


@router.get(
    "/cases/{case}/capabilities",
    tags=["cases"],
    summary="What an answer to a case may be",
    responses=responses(401, 403, 404),
)
async def case_capabilities(context: Context, principal: Reader, case: Reference) -> Capabilities:
    """Of the channel by which it is answered: how long, with files or not, and whether what was sent can be changed."""
    found = await context.service.case(principal, reference(case))
    return context.service.offered(found)


@router.get(
    "/cases/{case}/canned-answers",
    tags=["cases"],
    summary="Templates filled for a case",
    responses=responses(401, 403, 404),
)
async def list_canned_answers(context: Context, principal: Reader, case: Reference) -> list[CannedAnswerOut]:
    """Ready to be edited and sent, in the language of the case."""
    found = await context.service.case(principal, reference(case))
    ready = await canned_answers(context.service, principal, found)
    return [CannedAnswerOut.model_validate(each) for each in ready]


@router.get(
    "/cases/{case}/draft",
    tags=["cases"],
    summary="Your draft in a case",
    responses=responses(401, 403, 404),
)
async def read_draft(context: Context, principal: Reader, case: Reference) -> KeptDraftOut:
    """What you began to write there, on whatever device; the text is empty where there is none."""
    found = await context.service.case(principal, reference(case))
    draft = await context.drafts.read(principal.id, found.id)
    return KeptDraftOut(text=draft.text, mode=draft.mode, kept_at=draft.kept_at) if draft else KeptDraftOut()


@router.put(
    "/cases/{case}/draft",
    tags=["cases"],
    summary="Keep your draft in a case",
    status_code=204,
    responses=responses(401, 403, 404, 422),
)
async def keep_draft(context: Context, principal: Writer, case: Reference, body: DraftIn) -> None:
    """The last one kept is the one that counts; an empty text forgets it. Sending an answer in the console does too."""
    found = await context.service.case(principal, reference(case))
    await context.drafts.keep(principal.id, found.id, body.text, body.mode)


@router.put(
    "/cases/{case}/presence",
    tags=["cases"],
    summary="Say that you look at a case, and see who else does",
    responses=responses(401, 403, 404, 422),
)
async def be_present(
    context: Context, principal: Writer, case: Reference, body: PresenceIn
) -> list[ColleagueOut]:
    """Colleagues who look at it or write in it now. Say it again every few seconds: after 45 you count as gone."""
    found = await context.service.case(principal, reference(case))
    others = await context.presences.here(principal, found.id, is_writing=body.writing)
    return [ColleagueOut.model_validate(each) for each in others]


@router.get("/search", tags=["cases"], summary="Find cases", responses=responses(401, 403, 422))
async def search_cases(
    context: Context,
    principal: Reader,
    pages: Pages,
    q: Annotated[
        str,
        Query(
            min_length=1, max_length=WORDS_LENGTH, description="words, a case number, an address or a name"
        ),
    ],
) -> PageOf[HitOut]:
    """Cases of your queues by number, name, handle, and words of subject and text; best first."""
    return pages.page(await context.service.search(principal, q, pages.limit, pages.after), HitOut.of)

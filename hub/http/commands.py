"""What agents do to a case. Each operation is one command to the decider, durable before it is answered.

`If-Match` with the case's ETag refuses the command when the case moved on meanwhile (412); without it the command is
judged by what is true now. `Idempotency-Key` makes it once in effect. All answer with the case as it is afterwards.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field

from hub.http.bodies import Body
from hub.http.cases import Context, Reference, reference
from hub.http.commanding import Doing
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Writer
from hub.http.views import CaseOut
from hub.http.writing_views import UploadedOut
from hub.outgoing import LONGEST_ALT, LONGEST_TOKEN, MOST_FILES
from schemas.commands import (
    AssignCase,
    CancelReply,
    ClaimCase,
    ClearSpam,
    DeleteReply,
    EditReply,
    MarkSpam,
    MergeCase,
    NoteCase,
    PrioritizeCase,
    ReopenCase,
    ResolveCase,
    SettleDelivery,
    SnoozeCase,
    TagCase,
    TransferCase,
    WakeCase,
)
from schemas.configuration import Priority
from schemas.outbound import DeliveryState

TEXT_LENGTH = 200_000
TAG = Annotated[str, Field(min_length=1, max_length=60)]

router = APIRouter(
    prefix="/api/v1/cases/{case}",
    tags=["case commands"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 412, 422, 503),
)


Address = Annotated[str, Field(min_length=3, max_length=500)]
FILES = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_TOKEN)], ...],
    Field(max_length=MOST_FILES, description="tokens of files that you uploaded for it"),
]


class Reply(Body):
    text: str = Field(default="", max_length=TEXT_LENGTH, examples=["Your order left us this morning."])
    html: str = Field(
        default="",
        max_length=2 * TEXT_LENGTH,
        description="formatted, instead of `text`: paragraphs, bold, italic, lists, links, quotes; all else is dropped",
    )
    cc: tuple[Address, ...] | None = Field(
        default=None, max_length=20, description="by mail; null: those in copy so far (`recipients`)"
    )
    bcc: tuple[Address, ...] = Field(default=(), max_length=20, description="by mail, unseen by all others")
    quote: UUID | None = Field(default=None, description="entry of a message that stands under the answer")
    send_at: AwareDatetime | None = Field(
        default=None, description="send it then; it can be taken back before"
    )
    resolve: bool = Field(default=False, description="resolve the case with this answer")
    files: FILES = ()


class Edited(Body):
    text: str = Field(
        min_length=1, max_length=TEXT_LENGTH, examples=["Your order leaves us tomorrow morning."]
    )


class Note(Body):
    text: str = Field(
        min_length=1, max_length=TEXT_LENGTH, examples=["Called the carrier: it is at the depot."]
    )


class Assignment(Body):
    assignee: str | None = Field(max_length=100, description="a user's name; null: nobody", examples=["ines"])


class Snooze(Body):
    until: AwareDatetime = Field(examples=["2026-03-03T09:00:00Z"])


class Tags(Body):
    add: tuple[TAG, ...] = Field(default=(), max_length=50, examples=[["delivery"]])
    remove: tuple[TAG, ...] = Field(default=(), max_length=50)


class Priorities(Body):
    priority: Priority


class Transfer(Body):
    queue: str = Field(min_length=1, max_length=100, examples=["billing"])


class Merge(Body):
    into: str = Field(
        max_length=64, description="id or number of the case that stays", examples=["7K3M9-Q2XAB"]
    )


class Settlement(Body):
    arrived: bool = Field(description="true: it arrived; false: it did not, and may be sent again")


@router.post("/files", summary="Upload a file for an answer", status_code=201)
async def upload_file(
    context: Context,
    request: Request,
    principal: Writer,
    case: Reference,
    name: Annotated[str, Query(min_length=1, max_length=255, examples=["invoice.pdf"])],
    alt: Annotated[
        str, Query(max_length=LONGEST_ALT, description="what a picture shows, for those who do not see it")
    ] = "",
) -> UploadedOut:
    """The bytes of the file as the body. The token that comes back is good for a week, for you and this case alone."""
    found = await context.service.case(principal, reference(case))
    content = await request.body()
    kept = await context.outgoing.keep(
        principal.id, found.id, name, request.headers.get("content-type", ""), content, alt
    )
    return UploadedOut(
        file=kept.token,
        name=kept.attachment.name,
        media_type=kept.attachment.media_type,
        size=kept.attachment.size,
    )


@router.post("/replies/{message}/cancel", summary="Take back an answer that has not left")
async def cancel_reply(doing: Doing, message: UUID) -> CaseOut:
    return await doing.do(CancelReply, message=message)


@router.post("/replies/{message}/edit", summary="Change an answer that was sent")
async def edit_reply(doing: Doing, message: UUID, body: Edited) -> CaseOut:
    """Where its channel can (`edit` of its capabilities). It is changed when the channel has done so: see the entry
    `change-asked` of the timeline, whose `delivery` is queued, sent, failed or unknown. One change of an answer at a time."""
    return await doing.do(EditReply, message=message, text=body.text)


@router.post("/replies/{message}/delete", summary="Take back an answer that was sent")
async def delete_reply(doing: Doing, message: UUID) -> CaseOut:
    """Where its channel can (`delete` of its capabilities); told as a change is."""
    return await doing.do(DeleteReply, message=message)


@router.post("/messages/{message}/settle", summary="Say what became of a message that may have been sent")
async def settle(doing: Doing, message: UUID, body: Settlement) -> CaseOut:
    state = DeliveryState.SENT if body.arrived else DeliveryState.FAILED
    return await doing.do(SettleDelivery, message=message, state=state)


@router.post("/notes", summary="Write a note that only the team sees")
async def note(doing: Doing, body: Note) -> CaseOut:
    return await doing.do(NoteCase, text=body.text)


@router.post("/claim", summary="Take the case")
async def claim(doing: Doing) -> CaseOut:
    """Refused (409, or 412 with If-Match) when somebody has it: `now` says who and since when."""
    return await doing.do(ClaimCase)


@router.post("/assign", summary="Give the case to somebody, or to nobody")
async def assign(doing: Doing, body: Assignment) -> CaseOut:
    """Giving it to somebody else needs the role supervisor in the case's queue."""
    return await doing.do(AssignCase, assignee=body.assignee)


@router.post("/snooze", summary="Put the case aside until a time")
async def snooze(doing: Doing, body: Snooze) -> CaseOut:
    return await doing.do(SnoozeCase, until=body.until)


@router.post("/wake", summary="Take the case back from snoozing")
async def wake(doing: Doing) -> CaseOut:
    return await doing.do(WakeCase)


@router.post("/resolve", summary="Resolve the case")
async def resolve(doing: Doing) -> CaseOut:
    return await doing.do(ResolveCase)


@router.post("/reopen", summary="Open a resolved case again")
async def reopen(doing: Doing) -> CaseOut:
    return await doing.do(ReopenCase)


@router.post("/tags", summary="Add and remove tags")
async def tag(doing: Doing, body: Tags) -> CaseOut:
    return await doing.do(TagCase, add=body.add, remove=body.remove)


@router.post("/priority", summary="Set the priority")
async def prioritize(doing: Doing, body: Priorities) -> CaseOut:
    return await doing.do(PrioritizeCase, priority=body.priority)


@router.post("/transfer", summary="Move the case to another queue")
async def transfer(doing: Doing, body: Transfer) -> CaseOut:
    """You may move it to a queue that you do not read; the answer is the last that you see of it."""
    return await doing.do(TransferCase, queue=body.queue)


@router.post("/merge", summary="Merge the case into another one")
async def merge(doing: Doing, body: Merge) -> CaseOut:
    """This case is read and answered in the other one from now on."""
    return await doing.do(MergeCase, into=(await doing.other(body.into)).id)


@router.post("/spam", summary="Mark the case as spam")
async def mark_spam(doing: Doing) -> CaseOut:
    return await doing.do(MarkSpam)


@router.post("/unspam", summary="The case is no spam")
async def clear_spam(doing: Doing) -> CaseOut:
    return await doing.do(ClearSpam)

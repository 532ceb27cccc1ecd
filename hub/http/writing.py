"""Writing: answers with their copies and previews, conversations that we start, messages that are handed on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from connectors.kit.writing import Preview
from hub.composing import Letter, forward_of, new_place, reply_of, start_of
from hub.correspondence import Identity, Proposal, shown
from hub.http.bodies import Body
from hub.http.cases import Context, Reference, etag, reference
from hub.http.commanding import Commanded, Doing
from hub.http.commands import FILES, TEXT_LENGTH, Address, Reply
from hub.http.problems import responses
from hub.http.requests import Operation, request_id
from hub.http.rights import Acting, Writer
from hub.http.views import CaseOut
from hub.http.writing_views import UploadedOut
from hub.outgoing import LONGEST_ALT
from hub.splitting import split_of
from schemas.commands import ForwardMessage, ReplyToCase, StartCase
from schemas.interactions import Attachment, Participant

ADDRESSES = 20
HTML_LENGTH = 400_000

router = APIRouter(
    prefix="/api/v1/cases/{case}",
    tags=["writing"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 412, 422, 503),
)
conversations = APIRouter(
    prefix="/api/v1", tags=["writing"], route_class=Operation, responses=responses(401, 403, 404, 422, 503)
)


class PreviewOut(BaseModel):
    """A message as it will be read: made by what makes it when it leaves. Files are not in it."""

    sender: str = Field(examples=["Example Support <support@example.com>"])
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...] = Field(description="told to nobody who reads it")
    subject: str
    text: str
    html: str = Field(description="empty where the channel shows plain text alone")

    @classmethod
    def of(cls, preview: Preview) -> "PreviewOut":
        return cls(**{name: getattr(preview, name) for name in cls.model_fields})


class RecipientsOut(BaseModel):
    """Addresses as one writes them. `others` take part in the last message; `known` were met in the case besides."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    others: tuple[str, ...] = Field(
        description="who a reply to all would reach too; never an address of ours"
    )
    known: tuple[str, ...]

    @classmethod
    def of(cls, proposal: Proposal) -> "RecipientsOut":
        return cls(
            to=_shown(proposal.to),
            cc=_shown(proposal.cc),
            others=_shown(proposal.others),
            known=_shown(proposal.known),
        )


class SenderOut(BaseModel):
    """As whom a conversation can be started; `sender` names it in the request."""

    sender: str = Field(examples=["email:support"])
    channel: str
    brand: str
    shown: str

    @classmethod
    def of(cls, identity: Identity) -> "SenderOut":
        return cls(sender=identity.key, channel=identity.channel, brand=identity.brand, shown=identity.shown)


class Written(Body):
    to: tuple[Address, ...] = Field(min_length=1, max_length=ADDRESSES, examples=[["Ann <ann@example.net>"]])
    cc: tuple[Address, ...] = Field(default=(), max_length=ADDRESSES)
    bcc: tuple[Address, ...] = Field(default=(), max_length=ADDRESSES)
    text: str = Field(default="", max_length=TEXT_LENGTH)
    html: str = Field(default="", max_length=HTML_LENGTH, description="formatted, instead of `text`")
    files: FILES = ()
    send_at: AwareDatetime | None = Field(
        default=None, description="send it then; it can be taken back before"
    )


class Conversation(Written):
    sender: str = Field(max_length=200, description="one of `senders`", examples=["email:support"])
    queue: str = Field(min_length=1, max_length=100, examples=["orders"])
    subject: str = Field(default="", max_length=1_000, examples=["Your order 4711"])
    language: str = Field(default="und", pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="BCP 47")


class Forward(Written):
    entry: UUID = Field(description="the message that is handed on")
    subject: str = Field(default="", max_length=1_000, description="empty: the case's, marked as forwarded")
    attachments: tuple[str, ...] = Field(
        default=(), max_length=ADDRESSES, description="files of the message that go with it, by their `blob`"
    )


class Split(Body):
    entries: tuple[UUID, ...] = Field(
        min_length=1, max_length=100, description="messages and notes of the case"
    )
    subject: str = Field(default="", max_length=1_000, description="empty: of the first message")
    queue: str = Field(default="", max_length=100, description="empty: that of the case")


@router.get("/recipients", summary="Whom an answer goes to, and who else could get it")
async def recipients(context: Context, principal: Writer, case: Reference) -> RecipientsOut:
    found = await context.service.case(principal, reference(case))
    return RecipientsOut.of(await context.correspondence.proposal(principal, found))


@router.post("/replies/preview", summary="See an answer as it will leave")
async def preview_reply(doing: Doing, context: Context, principal: Writer, body: Reply) -> PreviewOut:
    """Nothing is sent or kept."""
    command = await reply_command(doing, context, body)
    return PreviewOut.of(context.correspondence.preview(await context.service.preview(principal, command)))


@router.post("/replies", tags=["case commands"], summary="Answer the customer")
async def reply(doing: Doing, context: Context, body: Reply) -> CaseOut:
    """Goes to those in `reply_recipients`, through the channel that the case came by."""
    return await doing.give(await reply_command(doing, context, body))


async def reply_command(doing: Commanded, context: Context, body: Reply) -> ReplyToCase:
    letter = Letter(
        text=body.text,
        html=body.html,
        cc=body.cc,
        bcc=body.bcc,
        quote=body.quote,
        attachments=await doing.attachments(body.files),
        send_at=body.send_at,
    )
    case = await doing.case()
    return await reply_of(
        context.correspondence, case, doing.actor, letter, resolve=body.resolve, expected=doing.expected
    )


@router.post("/forwards", summary="Hand a message on to somebody outside")
async def forward(doing: Doing, context: Context, body: Forward) -> CaseOut:
    """By mail, with what it says and the files that you choose. The customer stays who it was, and waits as before."""
    return await doing.give(await forward_command(doing, context, body))


@router.post("/forwards/preview", summary="See a message that is handed on as it will leave")
async def preview_forward(doing: Doing, context: Context, principal: Writer, body: Forward) -> PreviewOut:
    """Nothing is sent or kept."""
    command = await forward_command(doing, context, body)
    return PreviewOut.of(context.correspondence.preview(await context.service.preview(principal, command)))


async def forward_command(doing: Commanded, context: Context, body: Forward) -> ForwardMessage:
    return await forward_of(
        context.correspondence,
        await doing.case(),
        doing.actor,
        _letter(body, await doing.attachments(body.files)),
        entry=body.entry,
        to=body.to,
        subject=body.subject,
        files=body.attachments,
        expected=doing.expected,
    )


@router.post(
    "/split", tags=["case commands"], summary="Let messages go on in a case of their own", status_code=201
)
async def split(doing: Doing, context: Context, request: Request, principal: Writer, body: Split) -> CaseOut:
    """Answers with the new case. The messages stay in this one, and are read in both; merging the new one back undoes it."""
    case = await doing.case()
    command = await split_of(
        context.service,
        principal,
        case,
        doing.actor,
        request_id(request),
        body.entries,
        queue=body.queue or case.queue,
        subject=body.subject,
        expected=doing.expected,
    )
    await context.service.command(principal, command, request_id(request))
    return CaseOut.of(await context.service.case_after(command.into))


@conversations.get("/senders", summary="As whom a conversation can be started")
async def senders(context: Context, principal: Writer) -> list[SenderOut]:
    return [SenderOut.of(each) for each in context.correspondence.identities()]


@conversations.post("/conversations", summary="Write to somebody first", status_code=201)
async def start(
    context: Context,
    request: Request,
    response: Response,
    principal: Writer,
    actor: Acting,
    body: Conversation,
) -> CaseOut:
    """A case of its own, with the message on its way. Who answers joins it."""
    command = _start(context, principal.id, request_id(request), actor, body)
    case = await context.service.start(principal, command, request_id(request))
    response.headers["ETag"] = etag(case)
    return CaseOut.of(case)


@conversations.post("/conversations/preview", summary="See a first message as it will leave")
async def preview_start(
    context: Context, request: Request, principal: Writer, actor: Acting, body: Conversation
) -> PreviewOut:
    """Nothing is sent or kept."""
    command = _start(context, principal.id, request_id(request), actor, body)
    return PreviewOut.of(context.correspondence.preview(await context.service.preview(principal, command)))


@conversations.post("/conversations/files", summary="Upload a file for a first message", status_code=201)
async def upload(
    context: Context,
    request: Request,
    principal: Writer,
    name: Annotated[str, Query(min_length=1, max_length=255, examples=["offer.pdf"])],
    alt: Annotated[str, Query(max_length=LONGEST_ALT)] = "",
) -> UploadedOut:
    """The bytes of the file as the body. The token is good for a week, for you and a conversation that you start."""
    kept = await context.outgoing.keep(
        principal.id,
        new_place(principal.id),
        name,
        request.headers.get("content-type", ""),
        await request.body(),
        alt,
    )
    attachment = kept.attachment
    return UploadedOut(
        file=kept.token, name=attachment.name, media_type=attachment.media_type, size=attachment.size
    )


def _start(context: Context, user: str, request: UUID, actor: Acting, body: Conversation) -> StartCase:
    kept = context.outgoing.read(user, new_place(user), body.files)
    writing = context.correspondence
    return start_of(
        writing,
        request,
        actor,
        _letter(body, tuple([each.attachment for each in kept])),
        sender=writing.identity(body.sender),
        queue=body.queue,
        to=body.to,
        subject=body.subject,
        language=body.language,
    )


def _letter(body: Written, attachments: tuple[Attachment, ...]) -> Letter:
    return Letter(
        text=body.text,
        html=body.html,
        cc=body.cc,
        bcc=body.bcc,
        attachments=attachments,
        send_at=body.send_at,
    )


def _shown(people: tuple[Participant, ...]) -> tuple[str, ...]:
    return tuple(shown(each) for each in people)

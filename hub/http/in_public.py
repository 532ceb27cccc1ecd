"""What agents do about what is read by everybody: answer who wrote there alone, hide what was written."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from hub.http.bodies import Body
from hub.http.cases import Context, Reference
from hub.http.commanding import Doing
from hub.http.commands import TEXT_LENGTH
from hub.http.files import entry_of
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Writer
from hub.http.views import CaseOut
from hub.outgoing import LONGEST_TOKEN, MOST_FILES
from hub.shown import name_of
from schemas.commands import AnswerPrivately, HideMessage

router = APIRouter(
    prefix="/api/v1/cases/{case}",
    tags=["case commands"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 412, 422, 503),
)


class Privately(Body):
    text: str = Field(min_length=1, max_length=TEXT_LENGTH, examples=["Could you tell us your order number?"])
    public_text: str = Field(
        default="",
        max_length=10_000,
        description="said in public once the private answer was sent; empty: nothing",
        examples=["We have written to you privately."],
    )
    files: tuple[Annotated[str, Field(max_length=LONGEST_TOKEN)], ...] = Field(
        default=(), max_length=MOST_FILES, description="tokens of files that you uploaded for this case"
    )


class Hiding(Body):
    hidden: bool = Field(default=True, description="false: it is shown again")


@router.post("/replies/private", summary="Answer alone who wrote in public")
async def answer_privately(doing: Doing, body: Privately) -> CaseOut:
    """Where its channel can (`private` of its capabilities names the account). Answers of this case are private from then on, and
    what the customer answers there joins it. Where the private answer is refused, the case is public as before."""
    attachments = await doing.attachments(body.files)
    return await doing.do(
        AnswerPrivately, text=body.text, public_text=body.public_text, attachments=attachments
    )


@router.post("/messages/{message}/hide", summary="Hide what a customer wrote from those who read along")
async def hide(
    doing: Doing, context: Context, principal: Writer, case: Reference, message: UUID, body: Hiding
) -> CaseOut:
    """Where its channel can (`hide` of its capabilities); `message` is its entry. It is hidden there, and stays what it is
    here. Told as a change of an answer is."""
    entry = await entry_of(context, principal, case, message)
    return await doing.do(HideMessage, external_id=name_of(entry), hidden=body.hidden)

"""What agents do about what is read by everybody: hide what a customer wrote there."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from hub.http.cases import Context, Reference
from hub.http.commands import Body, Doing
from hub.http.files import entry_of
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Writer
from hub.http.views import CaseOut
from hub.shown import name_of
from schemas.commands import HideMessage

router = APIRouter(
    prefix="/api/v1/cases/{case}",
    tags=["case commands"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 412, 422, 503),
)


class Hiding(Body):
    hidden: bool = Field(default=True, description="false: it is shown again")


@router.post("/messages/{message}/hide", summary="Hide what a customer wrote from those who read along")
async def hide(
    doing: Doing, context: Context, principal: Writer, case: Reference, message: UUID, body: Hiding
) -> CaseOut:
    """Where its channel can (`hide` of its capabilities); `message` is its entry. It is hidden there, and stays what it is
    here. Told as a change of an answer is."""
    entry = await entry_of(context, principal, case, message)
    return await doing.do(HideMessage, external_id=name_of(entry), hidden=body.hidden)

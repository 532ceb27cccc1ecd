"""A request of the API that is one command to one case: who asks, under which id, on which state of it."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from hub.http.cases import Context, Reference, etag, reference
from hub.http.requests import request_id
from hub.http.rights import Acting, Writer
from hub.http.views import CaseOut
from schemas.commands import Command
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.interactions import Attachment

IF_MATCH = re.compile(r'(?:W/)?"(\d{1,12})"')


class Commanded:
    """One command to one case: who asks, under which id, and on which state of the case."""

    def __init__(
        self,
        request: Request,
        response: Response,
        context: Context,
        principal: Writer,
        actor: Acting,
        case: Reference,
        if_match: Annotated[
            str | None,
            Header(max_length=100, description="the ETag of the case that you decided on", examples=['"4"']),
        ] = None,
        idempotency_key: Annotated[
            str | None,
            Header(
                max_length=255,
                description="the same key is the same request: done once",
                examples=["7d6f0d0a"],
            ),
        ] = None,
    ) -> None:
        self._service = context.service
        self._outgoing = context.outgoing
        self._principal = principal
        self._case = case
        self._response = response
        self._id = request_id(request)
        self.actor = actor
        self.expected = expected_revision(if_match)

    async def case(self) -> Case:
        return await self._service.case(self._principal, reference(self._case))

    async def other(self, named: str) -> Case:
        """Another case that the request names; it too must be the principal's to see."""
        return await self._service.case(self._principal, reference(named))

    async def attachments(self, tokens: Sequence[str]) -> tuple[Attachment, ...]:
        """The files that the principal uploaded for the case."""
        if not tokens:
            return ()
        case = await self.case()
        return tuple([each.attachment for each in self._outgoing.read(self._principal.id, case.id, tokens)])

    async def do(self, command_type: type[Command], **fields: object) -> CaseOut:
        """Give the command and answer with the case."""
        case = await self.case()
        return await self.give(
            command_type(case=case.id, actor=self.actor, expected_sequence=self.expected, **fields)
        )

    async def give(self, command: Command) -> CaseOut:
        after = await self._service.command(self._principal, command, self._id)
        self._response.headers["ETag"] = etag(after)
        return CaseOut.of(after)


Doing = Annotated[Commanded, Depends()]


def expected_revision(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    match = IF_MATCH.fullmatch(if_match.strip())
    if match is None:
        raise Invalid(
            "If-Match is not an ETag of a case", {"header.if-match": 'send the ETag as it came, such as "4"'}
        )
    return int(match[1])

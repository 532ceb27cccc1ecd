"""What the hub does for those who ask: the one way from the HTTP API, the console and the command line to the state."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from connectors.kit.writing import Writer
from hub.allowed import must_command, must_start
from hub.company import Company
from hub.deciding import Deciding
from hub.queries import Queries
from schemas.accounts import ANY_QUEUE, Principal, User, user_id
from schemas.capabilities import Capabilities, FileLimits
from schemas.commands import AssignCase, Command, MergeCase, StartCase
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.events import Actor, Event
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import References


def actor_of(principal: Principal) -> Actor:
    kind = {"agent": "agent", "key": "integrator"}.get(principal.kind, "system")
    return Actor(kind=kind, id=principal.id, name=principal.name)


class Service(Queries):
    """What may be read (`Queries`), and what may be done: a command to the decider."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        company: Company,
        deciding: Deciding,
        writers: Mapping[str, Writer] | None = None,
        brands: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(engine, clock, company)
        self._deciding = deciding
        self.capabilities: Mapping[str, Capabilities] = deciding.capabilities
        """`channel:account` -> what it can do."""
        self.writers: Mapping[str, Writer] = writers or {}
        """Channel -> what it tells of messages before they leave."""
        self.brands: Mapping[str, str] = brands or {}
        """`channel:account` -> its brand."""

    def answering(self, case: Case) -> str:
        """The channel by which an answer to this case leaves: its own where that can answer, else mail."""
        return case.channel if self._own(case) is not None else "email"

    def offered(self, case: Case) -> Capabilities:
        """What an answer to this case may be: in its own conversation, or by the channel that answers for it."""
        mail = next((of for name, of in self.capabilities.items() if name.startswith("email:")), None)
        return self._own(case) or mail or Capabilities(reply=True, subject=True, files=FileLimits())

    def _own(self, case: Case) -> Capabilities | None:
        """What the case's own conversation can do, where it takes answers."""
        own = self.capabilities.get(f"{case.channel}:{case.account}")
        return own if own is not None and own.reply else None

    async def command(self, principal: Principal, command: Command, request: UUID) -> Case:
        """Do something to a case, durably, or raise: Stale (somebody was first), Invalid, Forbidden, Unknown.

        `request` is the command's id (`schemas.ids.command_id`): the same request twice is done once.
        """
        case = await self.case(principal, command.case)
        must_command(principal, self.company, case, command)
        if isinstance(command, MergeCase):
            await self.case(principal, command.into)
        if isinstance(command, AssignCase) and command.assignee is not None:
            await self._must_be_able(command.assignee, case.queue)
        await self._deciding.request(self._asked(principal, command, request))
        return await self.case_after(case.id)

    async def start(self, principal: Principal, command: StartCase, request: UUID) -> Case:
        """Write to somebody first: a case with its message, durably, or raise as `command` does."""
        must_start(principal, self.company, self._brand_of(command), command)
        await self._deciding.request(self._asked(principal, command, request))
        return await self.case_after(command.case)

    async def preview(self, principal: Principal, command: Command) -> OutboundMessage:
        """The message that would leave if this were asked for now, by the same decision. Nothing is kept."""
        if isinstance(command, StartCase):
            must_start(principal, self.company, self._brand_of(command), command)
        else:
            must_command(principal, self.company, await self.case(principal, command.case), command)
        return await self._deciding.message(self._asked(principal, command, uuid4()))

    def _brand_of(self, command: StartCase) -> str | None:
        return self.brands.get(f"{command.channel}:{command.account}")

    def _asked(self, principal: Principal, command: Command, request: UUID) -> Event:
        return Event(
            id=request,
            key=str(command.case),
            time=self.clock.now(),
            data=command,
            source=f"/hub/{principal.kind}",
            correlation=request,
        )

    async def case_after(self, id: UUID) -> Case:
        found = await self.engine.load(References(documents={Case: {id}}))
        case = found.documents[id]
        assert isinstance(case, Case)
        return case

    async def _must_be_able(self, name: str, queue: str) -> None:
        """Nobody is given a case that they could not answer."""
        id = user_id(name)
        user = (await self.engine.load(References(documents={User: {id}}))).documents.get(id)
        if not isinstance(user, User) or not user.active or not {queue, ANY_QUEUE} & user.roles.keys():
            raise Invalid(
                said("{name!r} does not work in {queue}", name=name, queue=queue),
                {"assignee": said("name a user with a role in {queue}", queue=queue)},
            )

"""Writing to people: who it may come from, to whom it goes, what it quotes or hands on, and how it will look.

What is decided with it goes through the service as every other command; here what somebody typed becomes that command.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from uuid import UUID

from connectors.kit.writing import Preview, Writer
from hub.service import Service
from hub.shown import shown_entry
from processors.cases.answers import MAIL, MAIL_SCHEMES
from processors.formatted import as_text, formatted
from schemas.accounts import Principal
from schemas.commands import Quoted
from schemas.documents import Case, Entry, EntryKind
from schemas.errors import Invalid, Unknown
from schemas.interactions import Attachment, Participant, Role
from schemas.outbound import OutboundMessage
from schemas.sentences import said

MOST_PEOPLE = 20
"""In each of to, cc and bcc."""
LONGEST_LIST = 5_000
LONGEST_NAME = 200
LONGEST_QUOTE = 20_000
LOOKED_AT = 20
QUOTED_KINDS = (EntryKind.MESSAGE, EntryKind.REPLY)
"""Notes are the team's own."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a conversation can be started. `key` is `channel:account`."""

    key: str
    channel: str
    account: str
    brand: str
    shown: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whom an answer goes to by itself, who else takes part in the last message, and who is known besides."""

    to: tuple[Participant, ...]
    cc: tuple[Participant, ...]
    others: tuple[Participant, ...]
    known: tuple[Participant, ...]


class Correspondence:
    def __init__(self, service: Service) -> None:
        self._service = service

    def identities(self) -> list[Identity]:
        """In the order of the settings; only of channels by which a conversation can be started."""
        return [self._identity(key) for key, offered in self._service.capabilities.items() if offered.starts]

    def _identity(self, key: str) -> Identity:
        channel, _, account = key.partition(":")
        writer = self._service.writers.get(channel)
        shown = writer.senders().get(account, account) if writer else account
        return Identity(key, channel, account, self._service.brands.get(key, ""), shown)

    def identity(self, key: str) -> Identity:
        found = next((each for each in self.identities() if each.key == key), None)
        if found is None:
            raise Invalid(
                "choose from whom it comes", {"sender": said("there is no sender {name!r}", name=key)}
            )
        return found

    # -- people ----------------------------------------------------------------------------------------------------

    def people(
        self, role: Role, written: str | Sequence[str], channel: str = MAIL
    ) -> tuple[Participant, ...]:
        """Addresses as they were typed, with names or without. Raises Invalid for one that is none, or is ours."""
        field = str(role)
        lists = [written] if isinstance(written, str) else list(written)
        if sum(map(len, lists)) > LONGEST_LIST:
            raise Invalid("these are too many addresses", {field: said("at most {n}", n=MOST_PEOPLE)})
        writer = self._service.writers.get(channel)
        found: dict[str, Participant] = {}
        for name, typed in getaddresses([each.replace(";", ",").replace("\n", ",") for each in lists]):
            if not name and not typed:
                if any(each.strip(" ,;\n\r\t") for each in lists) and not found:
                    raise Invalid("this is no address", {field: "write addresses such as ann@example.com"})
                continue
            address = _checked(typed, field, writer)
            found.setdefault(address, _person(role, address, name))
        if len(found) > MOST_PEOPLE:
            raise Invalid("these are too many addresses", {field: said("at most {n}", n=MOST_PEOPLE)})
        return tuple(found.values())

    def copies(self, cc: str | Sequence[str], bcc: str | Sequence[str]) -> tuple[Participant, ...]:
        """Nobody in both: who gets a copy openly gets no blind one."""
        openly = self.people(Role.CC, cc)
        known = {each.value for each in openly}
        return (*openly, *(each for each in self.people(Role.BCC, bcc) if each.value not in known))

    async def proposal(self, principal: Principal, case: Case) -> Proposal:
        page = await self._service.timeline(principal, case, LOOKED_AT, kinds=QUOTED_KINDS)
        return self.proposed(case, page.items)

    def proposed(self, case: Case, entries: Sequence[Entry]) -> Proposal:
        """The same of entries that are at hand, newest first."""
        told = [each for each in entries if each.kind in QUOTED_KINDS]
        answered = [each for each in case.reply_recipients if each.scheme in MAIL_SCHEMES]
        seen = {each.value for each in answered}
        last = next((each for each in told if each.kind is EntryKind.MESSAGE), None)
        others = self._others([last] if last else [], seen)
        return Proposal(
            to=tuple(each for each in answered if each.role is not Role.CC),
            cc=tuple(each for each in answered if each.role is Role.CC),
            others=others,
            known=self._others(told, seen),
        )

    def _others(self, entries: Iterable[Entry], seen: set[str]) -> tuple[Participant, ...]:
        """Who else takes part, each once; never an address of ours, and nobody by a blind copy."""
        writer = self._service.writers.get(MAIL)
        found: dict[str, Participant] = {}
        for entry in entries:
            for each in entry.participants:
                if each.scheme != MAIL or each.role in (Role.BCC, Role.REPLY_TO) or each.value in seen:
                    continue
                if writer is None or not writer.is_ours(each.value):
                    found.setdefault(each.value, _person(Role.CC, each.value, each.name))
        return tuple(found.values())[:MOST_PEOPLE]

    # -- what it quotes or hands on --------------------------------------------------------------------------------

    async def quoted(self, case: Case, entry: UUID, *, whole: bool = False) -> Quoted:
        """A message of the case, as it stands under the next one. `whole`: with what it quotes itself."""
        found = await self.message(case, entry)
        text = (found.text if whole else found.text_new or found.text)[:LONGEST_QUOTE]
        sender = next((each for each in found.participants if each.role is Role.FROM), None)
        who = shown(sender) if sender else found.actor.name or found.actor.id
        return Quoted(said=f"{who}, {found.occurred_at:%Y-%m-%d %H:%M} UTC:", text=text)

    async def message(self, case: Case, entry: UUID) -> Entry:
        """Raises Unknown for what is no message of the case, a note of the team's among them."""
        found = await shown_entry(self._service.engine, entry)
        if found is None or not case.holds(found) or found.kind not in QUOTED_KINDS:
            raise Unknown("there is no such message in this case")
        return found

    async def handed_on(self, case: Case, entry: UUID, chosen: Sequence[str]) -> tuple[Attachment, ...]:
        """Files of a message by their SHA-256, to go with it."""
        files = (await self.message(case, entry)).attachments
        known = {each.blob.sha256: each for each in files if each.blob is not None}
        if unknown := [each for each in chosen if each not in known]:
            raise Invalid(
                "the message has no such file",
                {"attachments": said("there is no {name}", name=unknown[0][:64])},
            )
        return tuple(
            known[each].model_copy(update={"inline": False, "content_id": None})
            for each in dict.fromkeys(chosen)
        )

    # -- how it will look ------------------------------------------------------------------------------------------

    def preview(self, message: OutboundMessage) -> Preview:
        """By what makes the message when it leaves. Raises Invalid where it could not be made."""
        writer = self._service.writers.get(message.channel)
        if writer is None:
            named = tuple(each.name or each.value for each in message.recipients)
            return Preview(message.account, named, (), (), message.subject, message.text, message.html)
        try:
            return writer.preview(message)
        except ValueError as error:
            raise Invalid(said("the message could not be made: {error}", error=error)) from None


def text_of(html: str) -> str:
    """The plain text of what was formatted."""
    return as_text(formatted(html))


def shown(person: Participant) -> str:
    """As an address is written, with its name."""
    if not person.name:
        return person.value
    name = person.name.replace('"', "'")
    return (
        f'"{name}" <{person.value}>' if any(each in name for each in ",;@<>") else f"{name} <{person.value}>"
    )


def _checked(typed: str, field: str, writer: Writer | None) -> str:
    address = writer.address(typed) if writer else None
    if address is None or writer is None:
        raise Invalid(
            said("{name!r} is no address", name=typed[:100]),
            {field: said("{name!r} is no address", name=typed[:100])},
        )
    if writer.is_ours(address):
        raise Invalid(
            said("{address} is an address of ours", address=address),
            {field: said("{address} is ours; leave it away", address=address)},
        )
    return address


def _person(role: Role, address: str, name: str) -> Participant:
    plain = " ".join("".join(each for each in name if each.isprintable()).split())
    return Participant(
        role=role, scheme=MAIL, value=address, name="" if plain == address else plain[:LONGEST_NAME]
    )

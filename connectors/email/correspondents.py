"""Who wrote, to whom, and where an answer goes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from connectors.email.addresses import normal_address, without_tag
from connectors.email.authentication import Proof
from connectors.email.parse import MailAddress, ParsedMail
from connectors.email.tokens import Tokens
from schemas.interactions import Participant, Role

SCHEME = "email"
CLAIMED = "email-typed"
"""A From that authentication contradicts is no better than an address typed into a form."""
OWN = "email-own"
"""A mailbox of ours among the readers: shown and routed by, never answered."""
MOST = 50
LONGEST_NAME = 200

IsOurs = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Correspondents:
    participants: tuple[Participant, ...]
    flags: frozenset[str] = frozenset()


def is_own_mail(mail: ParsedMail, tokens: Tokens, is_ours: IsOurs) -> str:
    """Why this mail is our own come back, or an empty string.

    A mail from our address that asks for answers elsewhere is one that a form or a scanner sends on behalf of somebody.
    """
    if mail.message_id and tokens.own_message(mail.message_id) is not None:
        return "our own message came back: its Message-ID is ours"
    if mail.sender is None or not is_ours(mail.sender.address):
        return ""
    if any(normal_address(each.address) and not is_ours(each.address) for each in mail.reply_to):
        return ""
    return "the sender is an address of ours"


def correspondents(mail: ParsedMail, proof: Proof, is_ours: IsOurs) -> Correspondents:
    """The sender, where answers go if elsewhere, and who else read it."""
    answers_to = _people(Role.REPLY_TO, mail.reply_to, is_ours)
    others = (*_readers(Role.TO, mail.to, is_ours), *_readers(Role.CC, mail.cc, is_ours))
    sender = _sender(mail.sender, proof) if mail.sender and not is_ours(mail.sender.address) else None
    if sender is None:
        # Sent for somebody by a form of ours, or without a From that can be answered.
        behalf = [each.model_copy(update={"role": Role.FROM, "scheme": CLAIMED}) for each in answers_to[:1]]
        flags = frozenset({"on_behalf"}) if behalf else frozenset({"no_sender"})
        return Correspondents((*behalf, *answers_to, *others)[: 2 * MOST], flags)
    if [each.value for each in answers_to] == [sender.value]:
        answers_to = ()
    return Correspondents((sender, *answers_to, *others)[: 2 * MOST])


def _sender(sender: MailAddress, proof: Proof) -> Participant | None:
    address = normal_address(sender.address)
    if address is None:
        return None
    scheme = CLAIMED if proof.authentication.spoof_suspect else SCHEME
    return Participant(
        role=Role.FROM, scheme=scheme, value=address, name=sender.name[:LONGEST_NAME], verified=proof.verified
    )


def _readers(role: Role, addresses: Sequence[MailAddress], is_ours: IsOurs) -> tuple[Participant, ...]:
    """Others first, then our own mailboxes, without tags: a reply address is a key to its case."""
    ours = (normal_address(each.address) for each in addresses if is_ours(each.address))
    mailboxes = dict.fromkeys(without_tag(address) for address in ours if address)
    own = tuple(Participant(role=role, scheme=OWN, value=each) for each in list(mailboxes)[:MOST])
    return (*_people(role, addresses, is_ours), *own)


def _people(role: Role, addresses: Iterable[MailAddress], is_ours: IsOurs) -> tuple[Participant, ...]:
    found: dict[str, Participant] = {}
    for each in addresses:
        address = normal_address(each.address)
        if address is None or address in found or is_ours(address):
            continue
        found[address] = Participant(role=role, scheme=SCHEME, value=address, name=each.name[:LONGEST_NAME])
        if len(found) == MOST:
            break
    return tuple(found.values())

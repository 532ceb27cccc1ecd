"""The person of a case: handles and how each is known, attributes, other cases, the whole timeline over all channels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from hub.console.about import NOTHING_KNOWN, AboutPerson
from hub.console.faces import initials
from hub.console.places import Place
from hub.console.rows import channel_icon, channel_name
from hub.console.words import Moment, Words
from hub.people import People
from hub.service import Service
from processors.customers import Customer
from schemas.accounts import Principal
from schemas.configuration import AttributeType, PersonAttribute
from schemas.documents import Case, Entry, EntryKind, Handle, Link
from schemas.errors import Unknown

ENTRIES = 20
CASES = 11
EXCERPT = 120
SHOWN = (EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.NOTE)
ICONS = {EntryKind.REPLY: "reply", EntryKind.NOTE: "lock"}
PROOF_KIND = "reply-token"
SCHEME_ICONS = {"email": "mail", "email-typed": "file-text"}
NUMBERED = frozenset({"slack", "x"})
"""Schemes whose values are numbers of a network, which nobody knows a person by."""


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link to a handle that is shown above, and why it is there."""

    first: UUID
    second: UUID
    why: str


@dataclass(frozen=True, slots=True)
class HandleView:
    id: UUID
    value: str
    known: str
    icon: str
    since: Moment
    links: Sequence[LinkView] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class CaseLink:
    number: str
    url: str
    subject: str
    state: str
    icon: str
    when: Moment


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the person's timeline; `url` opens the message where it stood."""

    id: UUID
    icon: str
    channel: str
    excerpt: str
    when: Moment
    url: str


@dataclass(frozen=True, slots=True)
class PersonView:
    id: UUID
    name: str
    initials: str
    handles: Sequence[HandleView]
    suggestions: Sequence[HandleView]
    attributes: Sequence[tuple[str, str]]
    cases: Sequence[CaseLink]
    channels: Sequence[tuple[str, str]]
    channel: str
    language: str
    timeline: Sequence[Happening]
    next: str | None
    about: AboutPerson = NOTHING_KNOWN


async def person_view(
    service: Service,
    people: People,
    principal: Principal,
    words: Words,
    case: Case,
    place: Place,
    channel: str | None,
    after: str | None,
) -> PersonView:
    try:
        found = await service.customer(principal, case.handle, CASES)
    except KeyError:
        raise Unknown("nothing is known of this person yet") from None
    customer = found.customer
    page = await service.customer_timeline(principal, customer, ENTRIES, after, channel)
    numbers = {each.id: each.number for each in found.cases}
    whole = page if channel is None else await service.customer_timeline(principal, customer, ENTRIES)
    seen = dict.fromkeys([*(each.channel for each in found.cases), *(each.channel for each in whole.items)])
    return PersonView(
        id=customer.id,
        name=customer.name,
        initials=initials(customer.name),
        handles=[_linked(each, customer, words) for each in customer.handles],
        suggestions=[handle_view(each, words) for each in await people.suggestions(principal, customer)],
        attributes=_noted(customer, service.company.current.configuration.person_attributes, words),
        cases=[_case(each, words, place) for each in found.cases if each.id != case.id],
        channels=[(each, channel_name(words, each)) for each in seen],
        channel=channel or "",
        language="" if case.language == "und" else words.t.language_name(case.language),
        timeline=[_happening(each, words, case, numbers, place) for each in page.items if each.kind in SHOWN],
        next=page.next,
    )


def _noted(customer: Customer, known: Sequence[PersonAttribute], words: Words) -> list[tuple[str, str]]:
    """What the configuration knows first, by its title and in its order; then what programs noted beside it."""
    rest = dict(customer.attributes)
    said = {each: rest.pop(each.name) for each in known if each.name in rest}
    titled = [
        (
            each.title or each.name,
            words.t.either(f"person.{value}", value) if each.type is AttributeType.YES_NO else value,
        )
        for each, value in said.items()
    ]
    return [*titled, *sorted(rest.items())]


def _linked(handle: Handle, customer: Customer, words: Words) -> HandleView:
    """Each link is told once, at the later handle of the two."""
    values = {each.id: _called(each) for each in customer.handles[: customer.handles.index(handle)]}
    links = tuple(
        LinkView(handle.id, link.other, _why(link, values[link.other], words))
        for link in handle.links
        if link.other in values
    )
    return replace(handle_view(handle, words), links=links)


def _why(link: Link, other: str, words: Words) -> str:
    if link.evidence.kind == PROOF_KIND:
        return words.t("person.link-proved", other=other)
    who = link.actor.name or link.actor.id
    said = words.t("person.link-made", other=other, actor=who, ago=words.ago(link.since).words)
    return f"{said}: {link.evidence.note}" if link.evidence.note else said


def handle_view(handle: Handle, words: Words) -> HandleView:
    is_typed = handle.scheme.endswith("-typed")
    proved = "-proved" if is_typed and any(link.evidence.kind == PROOF_KIND for link in handle.links) else ""
    known = words.t.either(
        f"person.scheme.{handle.scheme}{proved}",
        words.t("person.scheme.other", scheme=words.t.either(f"channel.{handle.scheme}", handle.scheme)),
    )
    icon = SCHEME_ICONS.get(handle.scheme) or channel_icon(handle.scheme)
    called, since = _called(handle), words.ago(handle.first_seen_at)
    return HandleView(
        handle.id, called, known, icon, since, name="" if handle.name == called else handle.name
    )


def _called(handle: Handle) -> str:
    return (handle.name if handle.scheme in NUMBERED else "") or handle.value


def _case(case: Case, words: Words, place: Place) -> CaseLink:
    return CaseLink(
        case.number,
        place.case_url(case.number),
        case.subject or words.t("list.no-subject"),
        words.t(f"state.{case.state}"),
        channel_icon(case.channel),
        words.ago(case.updated_at),
    )


def _happening(entry: Entry, words: Words, case: Case, numbers: dict[UUID, str], place: Place) -> Happening:
    number = case.number if case.holds(entry) else numbers.get(entry.case, "")
    return Happening(
        id=entry.id,
        icon=ICONS.get(entry.kind, channel_icon(entry.channel)),
        channel=words.t("composer.note")
        if entry.kind is EntryKind.NOTE
        else channel_name(words, entry.channel),
        excerpt=" ".join((entry.text_new or entry.text or entry.subject)[: EXCERPT * 2].split())[:EXCERPT],
        when=words.ago(entry.received_at),
        url=f"{place.case_url(number)}#entry-{entry.id}" if number else "",
    )


__all__ = ["Customer", "PersonView", "handle_view", "person_view"]

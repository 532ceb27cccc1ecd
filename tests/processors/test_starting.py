"""Conversations that we begin, copies, messages handed on, and how answers read."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from processors.cases.evolve import fold
from processors.cases.work import Facts
from processors.configuration import problems
from schemas.capabilities import Capabilities
from schemas.cases import CaseEvent, CaseState
from schemas.commands import CancelReply, ForwardMessage, Quoted, ReplyToCase, StartCase
from schemas.configuration import Brand
from schemas.documents import Handle
from schemas.errors import Invalid
from schemas.identity import HandleSeen
from schemas.ids import case_id
from schemas.interactions import Participant, Role
from schemas.outbound import OutboundMessage, OutboundQueued
from schemas.steps import OutcomeKind
from tests.processors.world import AGENT, BOB, CONFIGURATION, NOW, World, event_of, mail, opened

MAIL = Capabilities(reply=True, html=True, subject=True, copies=True, starts="email")
CASE = case_id(UUID(int=7))
QUOTED = Quoted(said="Ann, 2026-03-02:", text="Where is it?\n\nAnn")


def person(address: str, role: Role = Role.TO) -> Participant:
    return Participant(role=role, scheme="email", value=address)


class Office(World):
    def __init__(self, signature: str = "", **own: str) -> None:
        brand = Brand(name="default", title="Shop", signature=signature, agent_signatures=own)
        super().__init__(CONFIGURATION.model_copy(update={"brands": (brand,)}))

    def facts(self, refuse: bool = False) -> Facts:
        chat = Capabilities(reply=True, markdown=True)
        return replace(super().facts(refuse), capabilities={"email:support": MAIL, "chat:desk": chat})

    def queued(self) -> OutboundMessage:
        message: OutboundMessage = self.told(OutboundQueued)[-1].message
        return message


def start(**changes: object) -> StartCase:
    fields = {
        "case": CASE, "actor": AGENT, "channel": "email", "account": "support", "brand": "default", "queue": "billing",
        "to": (person("zoe@example.com"),), "subject": "Your invoice", "text": "Hello Zoe.",
    }  # fmt: skip
    return StartCase.model_validate({**fields, **changes})


def test_a_conversation_that_we_start_is_a_case_with_a_message_on_its_way() -> None:
    world = Office()
    command = event_of(start())
    world.decide(command)
    case = world.case()
    assert (case.state, case.queue, case.assignee, case.waiting_since) == (
        CaseState.WAITING,
        "billing",
        "mia",
        None,
    )
    assert (world.queued().subject, world.queued().text) == ("Your invoice", "Hello Zoe.")
    assert [entry.step for entry in world.entries.values()] == ["started", "claimed", "replied"]
    assert isinstance(world.documents[case.handle], Handle)
    assert world.decide(command)[1][0].kind is OutcomeKind.DUPLICATE
    assert len(world.told(OutboundQueued)) == len(world.told(HandleSeen)) == 1
    assert fold([event for event in world.log if isinstance(event.data, CaseEvent)]) == case


def test_who_got_it_joins_by_answering_and_a_blind_copy_is_answered_no_more() -> None:
    world = Office()
    world.do(start(copies=(person("cc@example.com", Role.CC), person("bcc@example.com", Role.BCC))))
    world.threads["mail:ours"] = CASE
    assert [each.value for each in world.case().reply_recipients] == ["zoe@example.com", "cc@example.com"]
    world.do(mail("x", person("bcc@example.com", Role.FROM), parents=("mail:ours",)))
    assert (world.case().messages, world.case().state) == (1, CaseState.OPEN)


def test_a_conversation_that_leaves_later_is_taken_back() -> None:
    world = Office()
    world.do(start(send_at=NOW + timedelta(minutes=1)))
    (pending,) = world.case().pending
    world.do(CancelReply(case=CASE, actor=AGENT, message=pending.message.message), refuse=True)
    assert not world.told(OutboundQueued) and world.case().responded_at is None


@pytest.mark.parametrize("changes", [{"subject": " "}, {"channel": "chat", "account": "desk"}])
def test_what_cannot_be_started_is_refused(changes: dict[str, object]) -> None:
    world = Office()
    assert isinstance(world.do(start(**changes), refuse=True)[0].error, Invalid)
    assert not world.log


def test_an_answer_goes_to_those_whom_its_writer_names_in_copy() -> None:
    world = Office()
    case = opened(world, participants=(BOB, person("old@example.com", Role.CC)))
    copies = (person("new@example.com", Role.CC), person("boss@example.com", Role.BCC))
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here.", copies=copies))
    assert [(each.role, each.value) for each in world.queued().recipients] == [
        (Role.TO, "bob@example.net"), (Role.CC, "new@example.com"), (Role.BCC, "boss@example.com")
    ]  # fmt: skip
    assert world.handle_id("email", "new@example.com") in world.case().participants


def test_a_formatted_answer_has_its_signature_and_quote_in_both_texts() -> None:
    world = Office("{{ agent.name }}, {{ brand.title }}", ines="Yours, Ines")
    case = opened(world)
    html = "<p>It is <b>here</b>.</p><script>alert(1)</script>"
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="ignored", html=html, quoted=QUOTED))
    sent = world.queued()
    below = "\n\n-- \nMia, Shop\n\nAnn, 2026-03-02:\n> Where is it?\n>\n> Ann\n"
    assert sent.text == f"It is here.{below}"
    assert sent.html == (
        "<p>It is <strong>here</strong>.</p>\n<p>-- <br>Mia, Shop</p>\n<p>Ann, 2026-03-02:</p>\n"
        "<blockquote><p>Where is it?</p>\n<p>Ann</p>\n</blockquote>\n"
    )
    assert (sent.text[: sent.written], sent.html[: sent.written_html]) == (
        "It is here.", "<p>It is <strong>here</strong>.</p>\n"
    )  # fmt: skip
    ines = AGENT.model_copy(update={"id": "ines", "name": "Ines"})
    world.do(ReplyToCase(case=case.id, actor=ines, text="Plain."))
    assert (world.queued().text, world.queued().html) == ("Plain.\n\n-- \nYours, Ines\n", "")


def test_a_chat_gets_marks_instead_of_html_and_no_signature() -> None:
    world = Office("Shop")
    ann = Participant(role=Role.FROM, scheme="chat", value="ann")
    case = opened(world, participants=(ann,), channel="chat", account="desk", conversation="chat:1")
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="x", html="<p>It is <b>here</b>.</p>"))
    assert (world.queued().text, world.queued().html) == ("It is *here*.", "")
    copies = (person("new@example.com", Role.CC),)
    refused = world.do(ReplyToCase(case=case.id, actor=AGENT, text="x", copies=copies), refuse=True)[0].error
    assert isinstance(refused, Invalid) and "copies" in refused.problems


def test_a_message_is_handed_on_and_the_customer_is_answered_as_before() -> None:
    world = Office()
    before = opened(world)
    partner = person("partner@example.org")
    forwarded = ForwardMessage(
        case=before.id, actor=AGENT, entry=uuid4(), to=(partner,), text="Yours?", quoted=QUOTED
    )
    world.do(forwarded)
    case, sent = world.case(), world.queued()
    assert (sent.subject, sent.recipients) == ("Fwd: Invoice 7", (partner,))
    assert sent.text == "Yours?\n\nAnn, 2026-03-02:\n> Where is it?\n>\n> Ann\n"
    assert (case.waiting_since, case.state, case.due_at) == (
        before.waiting_since,
        CaseState.OPEN,
        before.due_at,
    )
    world.threads["mail:ours"] = case.id
    world.do(mail("b", person("partner@example.org", Role.FROM), parents=("mail:ours",)))
    assert world.case().messages == 2
    assert world.case().reply_recipients == before.reply_recipients


def test_a_message_that_is_to_be_handed_on_later_changes_nothing_of_an_answer_that_waits() -> None:
    world = Office()
    case = opened(world)
    later = NOW + timedelta(minutes=5)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here.", send_at=later))
    answer = world.case().pending[0].message.message
    world.do(
        ForwardMessage(
            case=case.id,
            actor=AGENT,
            entry=uuid4(),
            to=(person("p@example.org"),),
            quoted=QUOTED,
            send_at=later,
        )
    )
    handed_on = world.case().pending[1].message.message
    world.do(CancelReply(case=case.id, actor=AGENT, message=handed_on), refuse=True)
    assert world.case().waiting_since is None
    world.do(CancelReply(case=case.id, actor=AGENT, message=answer), refuse=True)
    assert (world.case().waiting_since, world.case().state) == (NOW, CaseState.OPEN)


def test_a_signature_that_names_what_it_cannot_know_is_found_before_it_is_published() -> None:
    brand = Brand(
        name="default",
        title="Shop",
        signature="{{ case.number }}",
        agent_signatures={"mia": "{{ agent.nam }}"},
    )
    found = problems(CONFIGURATION.model_copy(update={"brands": (brand,)}))
    assert [each.path for each in found] == ["brands[0].signature", "brands[0].agent_signatures.mia"]

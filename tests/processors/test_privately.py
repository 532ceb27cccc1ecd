"""Who wrote in public is answered alone: what follows is private, the public is told once that was sent, and a refusal takes it back."""

from typing import Any

from processors.cases.evolve import fold
from processors.cases.work import Facts
from schemas.capabilities import Capabilities, Visibility
from schemas.case_messages import CaseReplied, CaseWentPrivate, CaseWentPublic
from schemas.cases import CaseEvent
from schemas.commands import AnswerPrivately, HideMessage, MergeCase, ReplyToCase, SettleDelivery
from schemas.documents import Case, Delivery
from schemas.errors import Invalid
from schemas.events import Event, Payload
from schemas.ids import derive, item_id
from schemas.interactions import (
    BlobRef,
    Content,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.outbound import (
    ChangeKind,
    DeliveryFailed,
    DeliverySent,
    DeliveryState,
    DeliveryUnknown,
    OutboundMessage,
    OutboundQueued,
)
from tests.processors.world import AGENT, NOW, World, event_of

ANN = Participant(role=Role.FROM, scheme="x", value="501", name="Ann (@ann)", verified=True)
PUBLIC = Capabilities(reply=True, longest=20, splits=True, visibility=Visibility.PUBLIC, private="acme-dm")
PRIVATE = Capabilities(reply=True, longest=100)
THREAD, DIRECT = "x:post:900:1", "x:dm:900:501-900"


def wrote(
    name: str, account: str, conversation: str, is_proven: bool = False, may_change: bool = False
) -> Event:
    return event_of(
        InteractionReceived(
            part=Part(item=item_id("x", account, name)),
            channel="x",
            account=account,
            brand="default",
            conversation=conversation,
            occurred_at=NOW,
            received_at=NOW,
            original=BlobRef(sha256="0" * 64, size=1),
            kind=Kind.MESSAGE,
            external_id=f"x:{name}",
            participants=(ANN,),
            content=Content(subject="Hello", text="Where is it?"),
            thread_is_proven=is_proven,
            may_change=may_change,
        )
    )


class Square(World):
    """A case that a public post opened."""

    def __init__(self, public: Capabilities = PUBLIC, may_change: bool = False) -> None:
        super().__init__()
        self.public = public
        self.decide(wrote("post:1", "acme", THREAD, may_change=may_change))

    def facts(self, refuse: bool = False) -> Facts:
        able = {"x:acme": self.public, "x:acme-dm": PRIVATE}
        return Facts(**{**super().facts(refuse).__dict__, "capabilities": able})

    def answer(self, text: str = "What is your number?", **more: Any) -> Any:
        asked = AnswerPrivately(case=self.case().id, actor=AGENT, text=text, **more)
        return self.do(asked, refuse=True)[0].error

    def sent(self) -> list[OutboundMessage]:
        return [each.message for each in self.told(OutboundQueued)]

    def became(self, message: OutboundMessage, kind: type[Payload], **more: Any) -> None:
        base = {"message": message.message, "case": message.case, "channel": "x", "account": message.account}
        id = derive("became", str(message.message), kind.__name__)
        self.decide(Event(id, "k", NOW, kind.model_validate({**base, **more}), "/sinks/x", id))

    def folded(self) -> Case | None:
        case = self.case()
        return fold(
            [each for each in self.log if isinstance(each.data, CaseEvent) and each.data.case == case.id]
        )


def test_the_answer_goes_to_the_writer_alone_and_so_does_what_follows() -> None:
    square = Square()
    assert square.answer() is None
    (message,) = square.sent()
    assert (message.account, message.text) == ("acme-dm", "What is your number?")
    assert [(each.scheme, each.value) for each in message.recipients] == [("x", "501")]
    assert message.conversation == f"case:{square.case().id}"
    assert square.case().assignee == AGENT.id
    square.do(ReplyToCase(case=square.case().id, actor=AGENT, text="Thank you"))
    assert square.sent()[-1].account == "acme-dm"


def test_what_the_customer_answers_in_private_joins_the_case_and_is_answered_there() -> None:
    square = Square()
    square.answer()
    square.became(square.sent()[0], DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    square.decide(wrote("dm:8", "acme-dm", DIRECT, is_proven=True))
    square.decide(wrote("post:9", "acme", THREAD))
    assert square.case().messages == 3, "what is said in public afterwards is of the same case too"
    square.do(ReplyToCase(case=square.case().id, actor=AGENT, text="Thank you"))
    assert square.sent()[-1].account == "acme-dm", "and is not answered in public by mistake"


def test_what_is_answered_in_private_joins_the_case_into_which_it_was_merged_meanwhile() -> None:
    square = Square()
    square.decide(wrote("post:5", "acme", "x:post:900:5"))
    first, second = square.cases()
    square.do(AnswerPrivately(case=first.id, actor=AGENT, text="What is your number?"))
    square.do(MergeCase(case=first.id, actor=AGENT, into=second.id))
    square.became(square.sent()[0], DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    square.decide(wrote("dm:8", "acme-dm", DIRECT, is_proven=True))
    assert [each.messages for each in square.cases()] == [1, 2]


def merged_meanwhile() -> tuple[Square, OutboundMessage, Case]:
    """The private answer left from a case that was merged into another before it was known what became of it."""
    square = Square()
    square.decide(wrote("post:5", "acme", "x:post:900:5"))
    first, second = square.cases()
    public = "We wrote to you privately."
    square.do(AnswerPrivately(case=first.id, actor=AGENT, text="What is your number?", public_text=public))
    square.do(MergeCase(case=first.id, actor=AGENT, into=second.id))
    return square, square.sent()[0], second


def test_the_public_is_told_too_where_the_case_was_merged_meanwhile() -> None:
    square, private, into = merged_meanwhile()
    square.became(private, DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    _, public = square.sent()
    assert (public.case, public.account, public.conversation) == (into.id, "acme", THREAD)
    assert public.text == "We wrote to you privately."


def test_the_public_is_told_too_where_a_person_says_so_and_the_case_was_merged_meanwhile() -> None:
    square, private, into = merged_meanwhile()
    square.documents[private.message] = Delivery(
        id=private.message,
        revision=1,
        message=private,
        state=DeliveryState.UNKNOWN,
        next_attempt_at=NOW,
        changed_at=NOW,
    )
    settled = SettleDelivery(case=into.id, actor=AGENT, message=private.message, state=DeliveryState.SENT)
    assert square.do(settled, refuse=True)[0].error is None
    assert [(each.case, each.conversation) for each in square.sent()[1:]] == [(into.id, THREAD)]


def test_a_refused_private_answer_of_a_merged_case_moves_nothing_and_tells_nobody() -> None:
    square, private, into = merged_meanwhile()
    square.became(private, DeliveryFailed, reason="takes no direct messages")
    assert not square.told(CaseWentPublic) and len(square.sent()) == 1
    (case,) = (each for each in square.cases() if each.id == into.id)
    assert case.conversation == into.conversation


def test_the_public_is_told_once_the_private_answer_was_sent_and_not_before() -> None:
    square = Square()
    square.answer(public_text="We wrote to you privately.")
    (private,) = square.sent()
    square.became(private, DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    _, public = square.sent()
    assert (public.account, public.conversation, public.text) == (
        "acme",
        THREAD,
        "We wrote to you privately.",
    )
    replied: list[CaseReplied] = square.told(CaseReplied)
    assert [each.message.message for each in replied] == [private.message, public.message]
    entries = {each.id for each in square.entries.values()}
    assert {private.message, public.message} <= entries, "both stand in the timeline, under their own ids"
    square.became(private, DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    assert len(square.sent()) == 2, "said once"


def test_the_public_is_told_too_where_a_person_says_that_the_private_answer_arrived() -> None:
    square = Square()
    square.answer(public_text="We wrote to you privately.")
    (private,) = square.sent()
    square.became(private, DeliveryUnknown, reason="no answer came")
    unknown = DeliveryState.UNKNOWN
    square.documents[private.message] = Delivery(
        id=private.message, revision=1, message=private, state=unknown, next_attempt_at=NOW, changed_at=NOW
    )
    settled = SettleDelivery(
        case=square.case().id, actor=AGENT, message=private.message, state=DeliveryState.SENT
    )
    assert square.do(settled, refuse=True)[0].error is None
    assert [each.text for each in square.sent()[1:]] == ["We wrote to you privately."]
    assert square.folded() == square.case()


def test_a_refused_private_answer_leaves_the_case_public_and_tells_nobody() -> None:
    square = Square()
    square.answer(public_text="We wrote to you privately.")
    square.became(square.sent()[0], DeliveryFailed, reason="takes no direct messages")
    (back,) = square.told(CaseWentPublic)
    assert back.reason == "takes no direct messages" and len(square.sent()) == 1
    assert (square.case().account, square.case().conversation) == ("acme", THREAD)
    square.do(ReplyToCase(case=square.case().id, actor=AGENT, text="Please write to us"))
    assert (square.sent()[-1].account, square.sent()[-1].conversation) == ("acme", THREAD)


def test_what_was_written_in_public_is_hidden_there_though_the_case_is_answered_in_private_by_now() -> None:
    square = Square(PUBLIC.model_copy(update={"hide": True}), may_change=True)
    square.answer()
    hide = HideMessage(case=square.case().id, actor=AGENT, external_id="x:post:1")
    assert square.do(hide, refuse=True)[0].error is None
    hiding = square.sent()[-1]
    assert (hiding.account, hiding.conversation) == ("acme", THREAD)
    assert hiding.change is not None and hiding.change.kind is ChangeKind.HIDE


def test_a_case_that_moved_is_the_fold_of_its_events() -> None:
    square = Square()
    square.answer(public_text="We wrote to you privately.")
    assert square.told(CaseWentPrivate)
    assert square.folded() == square.case()
    square.became(square.sent()[0], DeliverySent, external_id="x:dm:7", conversation=DIRECT)
    assert square.folded() == square.case() and square.case().moved is not None


def test_each_half_is_held_to_what_its_own_account_takes() -> None:
    square = Square(PUBLIC.model_copy(update={"splits": False}))
    assert isinstance(square.answer(public_text="x" * 21), Invalid)
    assert isinstance(square.answer("x" * 101), Invalid)
    assert square.sent() == [] and not square.told(CaseWentPrivate)


def test_where_there_is_no_private_way_nothing_happens_and_the_reason_is_said() -> None:
    square = Square(PUBLIC.model_copy(update={"private": ""}))
    refused = square.answer()
    assert isinstance(refused, Invalid) and "no private way" in str(refused)
    moved = Square()
    moved.answer()
    assert isinstance(moved.answer("again"), Invalid), "it is private already"

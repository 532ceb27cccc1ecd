"""An answer that the channel would not take is refused before it is queued, to agents and to automations alike."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from processors.cases.work import Facts
from schemas.capabilities import Capabilities, Counting
from schemas.case_messages import CaseReplied
from schemas.commands import AnswerFromTemplate, ReplyToCase
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.interactions import Attachment, Participant, Role
from schemas.outbound import OutboundQueued
from schemas.steps import OutcomeKind
from tests.processors.world import AGENT, World, opened

ANN = Participant(role=Role.FROM, scheme="chat", value="ann")
FILE = Attachment(name="a.png", media_type="image/png", size=10)


class Chatting(World):
    """A company with a chat that takes short texts and no files."""

    def __init__(self, **capabilities: Any) -> None:
        super().__init__()
        self.offered = Capabilities(**{"reply": True, "longest": 20, **capabilities})

    def facts(self, refuse: bool = False) -> Facts:
        counts = {"chat": lambda text: 2 * len(text)} if self.offered.counting is Counting.OWN else {}
        return replace(super().facts(refuse), capabilities={"chat:desk": self.offered}, counts=counts)

    def chat(self) -> Case:
        return opened(
            self,
            participants=(ANN,),
            channel="chat",
            account="desk",
            conversation="chat:1",
            external_id="chat:1",
        )

    def refused(self, text: str, *files: Attachment) -> Invalid | None:
        """What is wrong with this answer to the chat; None where it left."""
        case = self.chat()
        command = ReplyToCase(case=case.id, actor=AGENT, text=text, attachments=files)
        error = self.do(command, refuse=True)[0].error
        assert (error is None) == bool(self.told(OutboundQueued))
        assert error is None or isinstance(error, Invalid)
        return error


def test_an_answer_that_fits_leaves_in_the_conversation_of_the_case() -> None:
    world = Chatting()
    assert world.refused("On its way.") is None
    (queued,) = world.told(OutboundQueued)
    assert (queued.message.channel, queued.message.account, queued.message.conversation) == (
        "chat",
        "desk",
        "chat:1",
    )


def test_an_answer_that_is_too_long_is_refused_and_nothing_is_queued() -> None:
    refusal = Chatting().refused("It is on its way to you.")
    assert refusal is not None and "shorten it by 4" in refusal.problems["text"]


def test_the_channel_counts_by_its_own_rules() -> None:
    world = Chatting(counting=Counting.OWN)
    assert world.refused("On its way.") is not None
    assert Chatting(counting=Counting.OWN).refused("Soon.") is None


def test_a_file_on_a_channel_without_files_is_refused() -> None:
    refusal = Chatting().refused("See this.", FILE)
    assert refusal is not None and "no files" in refusal.problems["attachments"]


def test_a_channel_without_answers_sends_them_by_mail_or_refuses() -> None:
    refusal = Chatting(reply=False).refused("On its way.")
    assert refusal is not None and "no address to answer to" in str(refusal)


def test_after_the_reply_window_an_answer_is_refused() -> None:
    world = Chatting(reply_window_seconds=3600)
    case = world.chat()
    world.now += timedelta(hours=2)
    (result,) = world.do(ReplyToCase(case=case.id, actor=AGENT, text="Hello?"), refuse=True)
    assert isinstance(result.error, Invalid) and "until" in result.error.problems["case"]


def test_an_automatic_answer_that_does_not_fit_is_suppressed_and_says_why() -> None:
    world = Chatting()
    case = world.chat()
    (result,) = world.do(AnswerFromTemplate(case=case.id, actor=SYSTEM, template="thanks"))
    assert result.kind is OutcomeKind.IGNORED and "chat cannot take this answer" in result.reason
    assert not world.told(CaseReplied)

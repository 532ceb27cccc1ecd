"""A case as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.console.composing import AS_TEXT, WritingView
from hub.console.conversation import Line
from hub.console.faces import Face
from hub.console.places import Place
from hub.console.words import Moment
from processors.routing_explanation import Explanation
from schemas.documents import Case


@dataclass(frozen=True, slots=True)
class FileChip:
    """A file that goes with the answer that is being written."""

    token: str
    name: str
    size: str
    alt_name: str = ""
    """The field that takes what a picture shows; empty where nobody is asked."""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its page shows it. `seen` is its revision when it was read."""

    case: Case
    subject: str
    customer: str
    channel: str
    channel_icon: str
    state: str
    queue_title: str
    assignee: Face | None
    priority: str
    when: Moment | None
    late: bool
    due: Moment | None
    snoozed: Moment | None
    merged_into: str
    lines: Sequence[Line]
    earlier: str | None
    receivers: str
    answer_channel: str
    """By which an answer leaves, which need not be that of the case."""
    answer_icon: str
    closed: bool
    can_assign: bool
    agents: Sequence[Face]
    queues: Sequence[tuple[str, str]]
    canned: Sequence[str]
    place: Place
    nonce: str
    why: Explanation | None = None
    frame: tuple[UUID, str] | None = None
    frame_images: str = ""
    problem: str = ""
    draft: str = ""
    draft_at: int = 0
    """When it was kept, in milliseconds since 1970."""
    mode: str = "reply"
    composer_problem: str = ""
    files: Sequence[FileChip] = ()
    collision: str = ""
    takes_files: bool = True
    is_public: bool = False
    repeats: bool = True
    goes_private: bool = False
    """Who wrote in public can be answered alone."""
    private_text: str = ""
    public_text: str = ""
    """Both of the answer to who wrote in public, when it was refused."""
    writing: WritingView = AS_TEXT
    can_forward: bool = False
    shown_file: tuple[UUID, str, str, str] | None = None
    """The entry whose file is shown, its SHA-256, its name, and where it is."""
    longest: int | None = None
    """Of an answer, where the channel takes no more and does not split."""

    @property
    def language(self) -> str:
        """What the customer writes in (BCP 47): for who reads aloud, and for browsers that translate; empty where nobody knows."""
        return "" if self.case.language == "und" else self.case.language

    @property
    def seen(self) -> int:
        return self.case.revision

    @property
    def url(self) -> str:
        return self.place.case_url(self.case.number)

    def url_with(self, **more: str) -> str:
        return self.place.case_url(self.case.number, **more)

    def act(self, action: str) -> str:
        """Where the form of an action goes."""
        return f"{self.place.path}/{self.case.number}/{action}{self.place.query()}"

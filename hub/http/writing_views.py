"""What the API answers while somebody writes: files that are kept, drafts, canned answers, and who else is in the case."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from hub.http.bodies import Body
from hub.http.views import View


class UploadedOut(View):
    """A file that is kept for an answer; `file` is what the answer names it by."""

    file: str
    name: str
    media_type: str
    size: int


class PresenceIn(Body):
    writing: bool = False


class ColleagueOut(View):
    """Somebody else in the case."""

    user: str
    name: str
    is_writing: bool


class DraftIn(Body):
    text: str = Field(max_length=200_000)
    mode: Literal["reply", "note"] = "reply"


class KeptDraftOut(View):
    """What you began to write; `kept_at` is null where there is nothing."""

    text: str = ""
    mode: str = "reply"
    kept_at: datetime | None = None


class CannedAnswerOut(View):
    """A template of the company, filled for a case. `problem` says why one cannot be filled; its text is empty then."""

    name: str
    text: str
    problem: str

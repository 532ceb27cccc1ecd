"""How somebody wants to work: language, time zone, look, and of what to be told when."""

from datetime import datetime

from pydantic import Field

from schemas.enums import Choice
from schemas.events import Frozen

CLOCK_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


class Theme(Choice):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Density(Choice):
    NORMAL = "normal"
    COMPACT = "compact"


class NoticeKind(Choice):
    """Of what somebody can be told, whatever the means."""

    ASSIGNED = "assigned"  # somebody else gave me a case
    REPLY = "reply"  # the customer wrote on a case of mine
    LATE_SOON = "late-soon"  # a case of mine is to be answered within minutes


class Digest(Choice):
    NEVER = "never"
    HOURLY = "hourly"
    DAILY = "daily"


class QuietHours(Frozen):
    """Local to the reader's time zone; they may go over midnight. Both times alike: the whole day."""

    starts: str = Field(default="20:00", pattern=CLOCK_TIME)
    ends: str = Field(default="07:00", pattern=CLOCK_TIME)
    weekends: bool = Field(default=True, description="Saturdays and Sundays are quiet as a whole")


class Preferences(Frozen):
    """Empty: as the browser says."""

    language: str = ""
    zone: str = Field(default="", description="IANA name, such as Europe/Berlin")
    theme: Theme = Theme.SYSTEM
    density: Density = Density.NORMAL
    notices: tuple[NoticeKind, ...] = tuple(NoticeKind)
    browser: bool = Field(default=False, description="told by notifications of the browser")
    sound: bool = False
    mail: Digest = Digest.NEVER
    quiet: QuietHours | None = None


class Digested(Frozen):
    """The last digest: what was news until then is none in the next."""

    at: datetime
    number: int

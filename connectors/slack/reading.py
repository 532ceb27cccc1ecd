"""How far the reading of a history came, as it is kept between turns and over restarts."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta


@dataclass
class Reading:
    """Times are Slack's: seconds since 1970. What happened after `since` is wanted; older messages are looked at for their
    threads and edits from `begin` on."""

    since: float
    begin: float
    until: float
    done: str = ""
    """Channels up to this one, in the order of their ids, are read."""
    channel: str = ""
    at: float = 0.0
    """This one is read up to here."""
    taken: int = 0

    @classmethod
    def of(cls, since: datetime, now: datetime, window: timedelta) -> "Reading":
        return cls(since.timestamp(), min(since, now - window).timestamp(), now.timestamp())

    def and_since(self, other: "Reading") -> "Reading":
        """From its beginning, and as far back as the other one."""
        return Reading(min(self.since, other.since), min(self.begin, other.begin), self.until)

    @classmethod
    def read(cls, value: str) -> "Reading":
        return cls(**json.loads(value))

    def written(self) -> str:
        return json.dumps(asdict(self))

    @property
    def edge(self) -> str:
        return f"{self.since:.6f}"

    def start_of(self, channel: str) -> float:
        return self.at if channel == self.channel else self.begin

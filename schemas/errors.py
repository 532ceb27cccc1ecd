"""The one table of errors. What an error *is* decides what happens, wherever it comes up.

HubbubError
├── Outage          wait, lag is visible, nothing is parked
│   └── Unreachable a server of ours is not there, or not yet: who starts waits for it
├── Conflict        somebody else wrote first: load again, decide again
├── NotYet          park the key with backoff, later events of the key wait behind it
├── Never           dead letter at once: original bytes, reason, stage
│   └── Undecodable an event on the log that no schema fits
└── Refused         a request that is wrong as it stands; told to who asked, nothing is stored
    ├── Unknown     what it names does not exist, or the principal may not know that it does
    ├── Forbidden   the principal may not do that
    ├── Stale       the case moved on: somebody was first
    └── Invalid     fields are wrong; `problems` says which
"""

from collections.abc import Mapping


class HubbubError(Exception):
    """Root of all errors that Hubbub raises on purpose. Messages tell their reader what to change."""

    @property
    def sentence(self) -> str:
        """What it says, as it was made: a `schemas.sentences.Sentence` still is one, which `str(error)` is not."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class Outage(HubbubError):
    """A peer (disk, log, store, relay) does not answer; nothing was accepted."""

    def __init__(self, message: str, retry_after_seconds: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unreachable(Outage):
    """Nobody listens, nobody answers, or who answers hangs up or is not ready. What only a change of the settings can cure is a plain Outage."""


class Conflict(HubbubError):
    """A state was not at the expected revision, or a claim was taken."""


class NotYet(HubbubError):
    """A fact is missing, or a vendor asks to wait."""

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Never(HubbubError):
    """This event can never be processed as it is."""


class Undecodable(Never):
    """The bytes on the log fit no schema that this version knows."""


class Refused(HubbubError):
    """A request that is wrong as it stands."""


class Unknown(Refused):
    """What the request names does not exist for this principal."""


class Forbidden(Refused):
    """The principal may not do that."""


class Stale(Refused):
    """The case moved on. `now` says what is true instead: who was first, and when."""

    def __init__(self, message: str, now: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.now = dict(now or {})


class Invalid(Refused):
    """Fields are wrong; `problems` maps each field to what to change."""

    def __init__(self, message: str, problems: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.problems = dict(problems or {})

"""Posts that are not taken. Whoever sent one is told, so nothing of it is kept."""

from collections.abc import Sequence

from connectors.webform.parse.checks import Problem


class Rejected(Exception):
    """`status` is HTTP's, `text` names what a visitor reads, `detail` is for a developer."""

    def __init__(self, status: int, text: str, detail: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.text = text
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.problems: Sequence[Problem] = ()
        self.number = ""
        """The case number that the same key got before, where that is the reason."""


def wrong_fields(problems: Sequence[Problem]) -> Rejected:
    rejected = Rejected(422, "error_summary", "fields are wrong; `errors` says which and why")
    rejected.problems = problems
    return rejected


def used_key(number: str) -> Rejected:
    rejected = Rejected(409, "already_sent", "this Idempotency-Key was used for another entry; use a new one")
    rejected.number = number
    return rejected

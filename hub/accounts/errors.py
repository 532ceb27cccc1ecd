"""How an authentication fails. Both tell nothing about whether the user exists.

Refused
├── Unauthenticated   nobody is signed in, or the credentials are not right
└── Throttled         too many attempts: wait
"""

from schemas.errors import Refused


class Unauthenticated(Refused):
    """Who asks could not be told."""


class Throttled(Refused):
    """Too many attempts by this name or from this address."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

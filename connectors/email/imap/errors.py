"""What can go wrong between a mailbox and us, and what follows.

ImapError
├── ConnectionLost   the server is away, silent, or breaks the protocol: connect again, ever more slowly
├── Refused          the server said NO or BAD to one command; the connection is fine
├── LoginRefused     credentials are wrong: somebody has to look, fast tries would lock the mailbox
└── Stopped          we were asked to stop; nothing is wrong
"""


class ImapError(Exception):
    """Root; messages tell the operator what happened, never a secret."""


class ConnectionLost(ImapError):
    """Nothing more comes over this connection."""


class Refused(ImapError):
    """`code` is the response code (RFC 5530), upper case, or empty."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class LoginRefused(ImapError):
    """The message says what to change."""


class Stopped(ImapError):
    """Asked to stop between two mails."""

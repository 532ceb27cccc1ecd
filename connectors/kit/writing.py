"""What a channel tells of messages before they leave: who they come from, which addresses are right, how they will look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.outbound import OutboundMessage


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as its receivers will read it. Each address is written as in its header; `bcc` stands in none."""

    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    text: str
    html: str = ""


class Writer(Protocol):
    """Of one channel. Pure."""

    def senders(self) -> Mapping[str, str]:
        """Account -> how its sender reads, such as `Example Support <support@example.com>`."""
        ...

    def address(self, written: str) -> str | None:
        """The one spelling of an address; None for what is none."""
        ...

    def is_ours(self, address: str) -> bool:
        """Whether mail to it would come back to us."""
        ...

    def preview(self, message: OutboundMessage) -> Preview:
        """Made by what makes the message when it is sent. Raises ValueError where it could not be."""
        ...

"""What is known of a mail besides its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_RECIPIENTS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Envelope:
    """Facts of the transport. `mail_from` is empty for the null sender and None where no envelope is known (a file)."""

    mail_from: str | None = None
    recipients: tuple[str, ...] = ()
    peer: str = ""
    source: str = ""
    """The name of the file, for what came from one."""
    account: str | None = None
    """The account for mail that names none of ours; None: the first."""
    mailbox: str = ""
    """The mailbox that it was fetched from."""
    arrived_at: datetime | None = None
    """When the mailbox got it."""
    is_junk: bool = False
    """It lay in the folder for spam."""

    def facts(self) -> dict[str, str]:
        """As text, to be kept beside an original that could not be read."""
        facts = {
            "recipients": "\n".join(self.recipients[:MOST_RECIPIENTS_KEPT]),
            "peer": self.peer,
            "source": self.source,
            "mailbox": self.mailbox,
            "arrived_at": self.arrived_at.astimezone(UTC).isoformat() if self.arrived_at else "",
            "junk": "yes" if self.is_junk else "",
        }
        if self.mail_from is not None:
            facts["mail_from"] = self.mail_from
        if self.account is not None:
            facts["account"] = self.account
        return {name: _plain(value) for name, value in facts.items() if value or name == "mail_from"}

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> "Envelope":
        return cls(
            mail_from=facts.get("mail_from"),
            recipients=tuple(each for each in facts.get("recipients", "").split("\n") if each),
            peer=facts.get("peer", ""),
            source=facts.get("source", ""),
            account=facts.get("account"),
            mailbox=facts.get("mailbox", ""),
            arrived_at=datetime.fromisoformat(facts["arrived_at"]) if facts.get("arrived_at") else None,
            is_junk=facts.get("junk") == "yes",
        )


def _plain(value: str) -> str:
    """Without the lone surrogates of undecodable bytes, and NUL, which no store takes."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")

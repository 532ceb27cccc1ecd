"""The customers' mail server, played by us: for the demo and the tests."""

from connectors.email.standin.mailbox import Mailbox, StoredMail
from connectors.email.standin.server import Behaviour, StandinServer

__all__ = ["Behaviour", "Mailbox", "StandinServer", "StoredMail"]

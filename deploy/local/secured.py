"""What a server is started with where it is to be reached by TLS, and by users only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Secured:
    """`pem` holds the server's certificate, its chain and its key; `users` are names with passwords. Either may be missing."""

    pem: Path | None = None
    users: Mapping[str, str] = field(default_factory=dict)

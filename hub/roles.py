"""What a process of the hub does, where several share the work."""

from collections.abc import Iterable
from enum import StrEnum

from schemas.errors import Invalid


class Role(StrEnum):
    CONNECTORS = "connectors"
    API = "api"
    WORKERS = "workers"


MEANINGS: dict[Role, str] = {
    Role.CONNECTORS: "takes in: SMTP, mailboxes, forms, webhooks of vendors",
    Role.API: "answers: console, API, event streams, files",
    Role.WORKERS: "decides and sends: the consumers of the log, timers, outbound",
}
Roles = frozenset[Role]
EVERYTHING: Roles = frozenset(Role)


def parse_roles(names: Iterable[str]) -> Roles:
    """Raises Invalid for a name that is none, and where there is no name at all."""
    known = {str(role): role for role in Role}
    wanted = [name.strip() for name in names if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        what = f"there is no role {unknown[0]!r}" if unknown else "no role is named"
        raise Invalid(f"{what}; roles are {', '.join(known)}")
    return frozenset(known[name] for name in wanted)

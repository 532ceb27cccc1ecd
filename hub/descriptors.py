"""File descriptors: each connection is one, and so is each file of the engine. Listeners share what the process may hold, so
that the engine can always open what it needs.
"""

import resource
from collections.abc import Mapping

import structlog

from hub.settings import HubSettings

ENOUGH = 65_536
RESERVED = 400
"""For the log and the states, blobs, mail and webhooks on their way out, and BACKLOG connections of each listening address."""
BACKLOG = 64
"""So many connections an address accepts before the first of them is looked at."""
FEWEST = 8
LISTENERS = ("console", "intake", "files")

log = structlog.get_logger("hubbub")


def raise_limit() -> int:
    """Sets how many descriptors this process may hold to what the system allows it. Returns that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def shared_out(wanted: Mapping[str, int], descriptors: int) -> dict[str, int]:
    """How many connections each may have: what it wants, or its part of what there is."""
    room, total = max(descriptors - RESERVED, 0), sum(wanted.values())
    if total <= room:
        return dict(wanted)
    return {name: max(FEWEST, count * room // total) for name, count in wanted.items()}


def fitted(settings: HubSettings, descriptors: int) -> HubSettings:
    """The settings with as many connections as this process can hold; says so where that is less than was asked for."""
    wanted = {name: getattr(settings, name).connections for name in LISTENERS}
    email = settings.email
    smtp_in = email.smtp_in if email is not None else None
    if smtp_in is not None:
        wanted["smtp"] = smtp_in.max_connections
    given = shared_out(wanted, descriptors)
    if given == wanted:
        return settings
    log.warning(
        "fewer connections than the settings say: raise the limit of open files (ulimit -n, LimitNOFILE)",
        open_files=descriptors,
        needed=sum(wanted.values()) + RESERVED,
        **given,
    )
    changed: dict[str, object] = {
        name: getattr(settings, name).model_copy(update={"connections": given[name]}) for name in LISTENERS
    }
    if email is not None and smtp_in is not None:
        fewer = smtp_in.model_copy(update={"max_connections": given["smtp"]})
        changed["email"] = email.model_copy(update={"smtp_in": fewer})
    return settings.model_copy(update=changed)

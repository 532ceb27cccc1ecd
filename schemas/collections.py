"""All collections: what an engine makes tables and indexes for."""

from schemas.accounts import ANSWERED, KEYS, SESSIONS, THROTTLES, USERS
from schemas.connecting import CONNECTOR_ORDERS, CONNECTOR_REPORTS
from schemas.documents import (
    CASES,
    CONFIGURATIONS,
    CURSORS,
    DEAD_LETTERS,
    DELIVERIES,
    DRAFTS,
    HANDLES,
    MESSAGE_CHANGES,
    PARKED,
    PRESENCES,
    QUARANTINE,
    Collection,
    Document,
)
from schemas.installation import INSTALLATIONS
from schemas.members import LEASES, MEMBERS

COLLECTIONS: tuple[Collection, ...] = (
    CASES,
    HANDLES,
    DELIVERIES,
    QUARANTINE,
    DEAD_LETTERS,
    PARKED,
    CURSORS,
    DRAFTS,
    PRESENCES,
    CONFIGURATIONS,
    MESSAGE_CHANGES,
    CONNECTOR_ORDERS,
    CONNECTOR_REPORTS,
    USERS,
    SESSIONS,
    KEYS,
    ANSWERED,
    THROTTLES,
    MEMBERS,
    LEASES,
    INSTALLATIONS,
)
BY_DOCUMENT: dict[type[Document], Collection] = {each.document: each for each in COLLECTIONS}

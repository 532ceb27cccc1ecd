"""All collections: what an engine makes tables and indexes for, and by which columns their documents are found."""

from datetime import datetime

from schemas.accounts import ANSWERED, IDENTITIES, KEYS, SESSIONS, THROTTLES, USERS
from schemas.blocking import BLOCKS, HELD, mail_domain
from schemas.columns import NEVER, PRIORITY_RANK, Collection, Column, ColumnType, text_column, time_column
from schemas.connecting import CONNECTOR_ORDERS, CONNECTOR_REPORTS, GRANTS
from schemas.documents import (
    Case,
    ConfigurationDraft,
    Cursor,
    Delivery,
    Document,
    Draft,
    Handle,
    Parked,
    Presence,
    PublishedConfiguration,
)
from schemas.installation import INSTALLATIONS
from schemas.letters import DeadLetter, QuarantineItem
from schemas.members import LEASES, MEMBERS
from schemas.message_changes import MessageChanges
from schemas.organizations import MEMBERSHIPS, ORGANIZATION_DOMAINS, ORGANIZATIONS
from schemas.saved_views import SAVED_VIEWS
from schemas.staged import STAGED_FILES


def _next_due(case: Case) -> datetime | None:
    return min([timer.due_at for timer in case.timers], default=None)


def _waits_from(changes: MessageChanges) -> datetime | None:
    return changes.noted_at if changes.case is None else None


CASES = Collection(
    "cases",
    Case,
    {
        "number": text_column("number"),
        "state": text_column("state"),
        "queue": text_column("queue"),
        "assignee": text_column("assignee"),
        "brand": text_column("brand"),
        "priority": Column(ColumnType.INTEGER, lambda case: PRIORITY_RANK[case.priority]),
        "handle": Column(ColumnType.ID, lambda case: case.handle),
        "updated_at": time_column("updated_at"),
        "waiting_since": time_column("waiting_since"),
        "waits_from": Column(ColumnType.TIME, lambda case: case.waiting_since or NEVER),
        "due_at": time_column("due_at"),
        "due_from": Column(ColumnType.TIME, lambda case: case.due_at or NEVER),
        "next_due": Column(ColumnType.TIME, _next_due),
        "merged_into": Column(ColumnType.ID, lambda case: case.merged_into),
        "fold": Column(ColumnType.INTEGER, lambda case: case.fold),
    },
    indexes=(
        ("state", "queue", "waits_from"),
        ("state", "waits_from"),
        ("state", "queue", "assignee", "due_at"),  # the counts of queues are read from this one
        ("queue", "updated_at"),
        ("assignee", "state", "waits_from"),
        ("handle",),
        ("next_due",),
        ("number",),
    ),
)
HANDLES = Collection(
    "handles",
    Handle,
    {
        "scheme": text_column("scheme"),
        "value": text_column("value"),
        "domain": Column(ColumnType.TEXT, lambda handle: mail_domain(handle) or None),
    },
    indexes=(("value",), ("domain",)),
)
DELIVERIES = Collection(
    "outbound",
    Delivery,
    {
        "state": text_column("state"),
        "channel": Column(ColumnType.TEXT, lambda delivery: delivery.message.channel),
        "account": Column(ColumnType.TEXT, lambda delivery: delivery.message.account),
        "conversation": Column(ColumnType.TEXT, lambda delivery: delivery.message.conversation),
        "order_": Column(ColumnType.INTEGER, lambda delivery: delivery.order),
        "next_attempt_at": time_column("next_attempt_at"),
    },
    indexes=(("state", "next_attempt_at"), ("conversation", "order_")),
)
QUARANTINE = Collection(
    "quarantine_items",
    QuarantineItem,
    {
        "state": text_column("state"),
        "channel": text_column("channel"),
        "received_at": time_column("received_at"),
    },
    indexes=(("state", "received_at"),),
)
DEAD_LETTERS = Collection(
    "dead_letters",
    DeadLetter,
    {
        "state": text_column("state"),
        "consumer": text_column("consumer"),
        "added_at": time_column("added_at"),
        "event": Column(ColumnType.ID, lambda letter: letter.event),
    },
    indexes=(("state", "added_at"),),
)
PARKED = Collection(
    "parked",
    Parked,
    {"consumer": text_column("consumer"), "key": text_column("key"), "not_before": time_column("not_before")},
    indexes=(("consumer", "not_before"),),
)
CURSORS = Collection(
    "cursors",
    Cursor,
    {"channel": text_column("channel"), "account": text_column("account")},
    indexes=(("channel", "account"),),
)
PRESENCES = Collection(
    "presences",
    Presence,
    {"case_": Column(ColumnType.ID, lambda presence: presence.case), "seen_at": time_column("seen_at")},
    indexes=(("case_", "seen_at"), ("seen_at",)),
)
DRAFTS = Collection("drafts", Draft, {"kept_at": time_column("kept_at")}, indexes=(("kept_at",),))
CONFIGURATIONS = Collection(
    "configurations",
    PublishedConfiguration,
    {"number": Column(ColumnType.INTEGER, lambda published: published.number)},
    indexes=(("number",),),
)
CONFIGURATION_DRAFTS = Collection(
    "configuration_drafts", ConfigurationDraft, {"user": text_column("user")}, indexes=(("user",),)
)
MESSAGE_CHANGES = Collection(
    "message_changes",
    MessageChanges,
    {"waits_from": Column(ColumnType.TIME, _waits_from)},
    indexes=(("waits_from",),),
)

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
    CONFIGURATION_DRAFTS,
    MESSAGE_CHANGES,
    BLOCKS,
    HELD,
    SAVED_VIEWS,
    STAGED_FILES,
    ORGANIZATIONS,
    ORGANIZATION_DOMAINS,
    MEMBERSHIPS,
    CONNECTOR_ORDERS,
    CONNECTOR_REPORTS,
    GRANTS,
    USERS,
    SESSIONS,
    IDENTITIES,
    KEYS,
    ANSWERED,
    THROTTLES,
    MEMBERS,
    LEASES,
    INSTALLATIONS,
)
BY_DOCUMENT: dict[type[Document], Collection] = {each.document: each for each in COLLECTIONS}

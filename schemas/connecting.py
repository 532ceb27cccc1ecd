"""What operators order of connectors, and how each was when its process last said so."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from schemas.columns import Collection, text_column
from schemas.documents import Document
from schemas.events import Actor
from schemas.ids import derive


class ConnectorOrder(Document):
    """`paused` holds until it is taken back, over restarts too. `replay_since` is done once and then None again."""

    channel: str
    account: str
    paused: bool = False
    replay_since: datetime | None = None
    replayed: str = Field(default="", description="what became of the last replay")
    actor: Actor
    changed_at: datetime


class ConnectorReport(Document):
    """How one connector is, told by the process that runs it now and then, for those that do not."""

    channel: str
    account: str
    state: str
    detail: str = ""
    last_success_at: datetime | None = None
    last_item_at: datetime | None = None
    oldest_unfetched_at: datetime | None = None
    next_retry_at: datetime | None = None
    reported_at: datetime


class Grant(Document):
    """What a vendor lets one account do in one place (a workspace that installed the app): its tokens, sealed."""

    channel: str
    account: str
    name: str = Field(description="the vendor's id of the place")
    title: str = Field(default="", description="what people call it")
    sealed: str = Field(
        default="", description="JWE of the tokens, by a key of the installation's; empty once it ended"
    )
    granted_at: datetime
    good_until: datetime | None = Field(default=None, description="when the token ends, where it does")
    renewing_until: datetime | None = Field(
        default=None, description="a process renews it until then; others leave it alone"
    )
    ended_at: datetime | None = None
    reason: str = Field(default="", description="why it ended")


def order_id(channel: str, account: str) -> UUID:
    return derive("connector order", channel, account)


def report_id(channel: str, account: str) -> UUID:
    return derive("connector report", channel, account)


def grant_id(channel: str, account: str, name: str) -> UUID:
    return derive("grant", channel, account, name)


CONNECTOR_ORDERS = Collection(
    "connector_orders", ConnectorOrder, {"channel": text_column("channel"), "account": text_column("account")}
)
CONNECTOR_REPORTS = Collection(
    "connector_reports",
    ConnectorReport,
    {"channel": text_column("channel"), "account": text_column("account")},
)
GRANTS = Collection(
    "grants",
    Grant,
    {"channel": text_column("channel"), "account": text_column("account")},
    indexes=(("channel", "account"),),
)

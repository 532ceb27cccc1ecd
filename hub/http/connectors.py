"""Connectors: how each is, what each can do; pausing, resuming, reading again since a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from hub.accounts.records import audited, decided_again, load
from hub.connecting import Standing
from hub.http.bodies import Body
from hub.http.cases import Context
from hub.http.context import AppContext
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Administrator, Supervisor
from schemas.capabilities import Capabilities
from schemas.connecting import CONNECTOR_ORDERS, CONNECTOR_REPORTS, ConnectorOrder, ConnectorReport, order_id
from schemas.errors import Invalid, Unknown
from schemas.events import Actor
from schemas.ports import Health, HealthState
from schemas.steps import Query, Step

OLDEST_REPLAY = timedelta(days=366)
REPORT_IS_OLD = timedelta(seconds=150)

router = APIRouter(
    prefix="/api/v1/connectors",
    tags=["operations"],
    route_class=Operation,
    responses=responses(401, 403, 404, 422, 503),
)


class ConnectorOut(BaseModel):
    """How one connector is, as the process says that runs it."""

    name: str = Field(examples=["email:support"])
    state: HealthState
    detail: str
    last_success_at: datetime | None = Field(description="when its source last answered well")
    last_item_at: datetime | None = Field(
        default=None, description="when something last came in, since its process runs"
    )
    oldest_unfetched_at: datetime | None = Field(
        default=None, description="since when the oldest item waits in the source"
    )
    next_retry_at: datetime | None = None
    silent_seconds: float | None = Field(
        default=None,
        description="it looks well, and nothing came for longer than `silent_after_hours` allows",
    )
    paused: bool = False
    replayed: str = Field(default="", description="what became of the last replay")


class Replaying(Body):
    since: AwareDatetime


@router.get("", summary="Health of connectors")
async def connectors(context: Context, principal: Supervisor) -> list[ConnectorOut]:
    return await known_connectors(context)


@router.get("/capabilities", summary="What each account can do")
async def capabilities(context: Context, principal: Supervisor) -> dict[str, Capabilities]:
    """`channel:account` -> what it can do; the composer and automations keep to it."""
    return dict(context.service.capabilities)


@router.post("/{name}/pause", status_code=204, summary="Take nothing more in until it is resumed")
async def pause(context: Context, principal: Administrator, actor: Acting, name: str) -> None:
    """Within two seconds, and over restarts. Webhooks are answered 503, so that their sources keep what they have."""
    await _ordered(context, name, actor, "connector-paused", {"paused": True})


@router.post("/{name}/resume", status_code=204, summary="Take in again")
async def resume(context: Context, principal: Administrator, actor: Acting, name: str) -> None:
    """Begins with what came meanwhile."""
    await _ordered(context, name, actor, "connector-resumed", {"paused": False})


@router.post("/{name}/replay", status_code=204, summary="Ask the source again for everything since a time")
async def replay(
    context: Context, principal: Administrator, actor: Acting, name: str, body: Replaying
) -> None:
    """What is known already does nothing. What became of it stands in `replayed` of the connector."""
    now = context.clock.now()
    if not now - OLDEST_REPLAY <= body.since <= now:
        raise Invalid("since is no time of the last year", {"since": "give a time within the last 366 days"})
    changes = {"replay_since": body.since, "replayed": ""}
    await _ordered(context, name, actor, "connector-replayed", changes)


async def _ordered(
    context: AppContext, name: str, actor: Actor, action: str, changes: Mapping[str, object]
) -> None:
    if name not in [each.name for each in await known_connectors(context)]:
        raise Unknown(f"there is no connector {name!r}")
    channel, _, account = name.partition(":")
    id, now = order_id(channel, account), context.clock.now()

    async def attempt() -> None:
        before = await load(context.engine, ConnectorOrder, id)
        order = before or ConnectorOrder(id=id, channel=channel, account=account, actor=actor, changed_at=now)
        update = {**changes, "actor": actor, "changed_at": now, "revision": order.revision + 1}
        event = audited(now, actor, action, name)
        step = Step(events=[event], documents=[(order.model_copy(update=update), order.revision)])
        await context.engine.commit(step)

    await decided_again(attempt)


async def known_connectors(context: AppContext) -> list[ConnectorOut]:
    """Of this process; one that runs none knows what the others reported."""
    orders = await _orders(context)
    if context.connectors:
        return [_out(context, orders, name, health()) for name, health in context.connectors.items()]
    page = await context.engine.find(Query(CONNECTOR_REPORTS, limit=500))
    reports = [each for each in page.items if isinstance(each, ConnectorReport)]
    return sorted((_reported(context, orders, each) for each in reports), key=lambda out: out.name)


async def _orders(context: AppContext) -> Mapping[str, ConnectorOrder]:
    page = await context.engine.find(Query(CONNECTOR_ORDERS, limit=500))
    orders = [each for each in page.items if isinstance(each, ConnectorOrder)]
    return {f"{each.channel}:{each.account}": each for each in orders}


def _out(
    context: AppContext, orders: Mapping[str, ConnectorOrder], name: str, health: Health
) -> ConnectorOut:
    channel, _, account = name.partition(":")
    standing = Standing(health)
    if context.controls is not None:
        standing = context.controls.standing(health, channel, account)
    return ConnectorOut(
        name=name,
        state=health.state,
        detail=health.detail,
        last_success_at=health.last_success_at,
        last_item_at=standing.last_item_at,
        oldest_unfetched_at=health.oldest_unfetched_at,
        next_retry_at=health.next_retry_at,
        silent_seconds=standing.silent_for.total_seconds() if standing.silent_for else None,
        **_order(orders.get(name)),
    )


def _reported(
    context: AppContext, orders: Mapping[str, ConnectorOrder], report: ConnectorReport
) -> ConnectorOut:
    name = f"{report.channel}:{report.account}"
    is_gone = context.clock.now() - report.reported_at > REPORT_IS_OLD
    return ConnectorOut(
        name=name,
        state=HealthState.STOPPED if is_gone else HealthState(report.state),
        detail=f"its process has not reported since {report.reported_at:%H:%M}" if is_gone else report.detail,
        last_success_at=report.last_success_at,
        last_item_at=report.last_item_at,
        oldest_unfetched_at=report.oldest_unfetched_at,
        next_retry_at=report.next_retry_at,
        **_order(orders.get(name)),
    )


def _order(order: ConnectorOrder | None) -> dict[str, Any]:
    return {"paused": order.paused, "replayed": order.replayed} if order is not None else {}

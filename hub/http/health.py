"""Whether the hub lives, whether it gets on, and its metrics."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel

from hub.accounts.errors import Unauthenticated
from hub.accounts.records import load
from hub.http.cases import Context
from hub.http.context import AppContext, Share
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.observe import CONTENT_TYPE, Metric
from schemas.accounts import AnsweredRequest
from schemas.collections import DEAD_LETTERS, DELIVERIES, PARKED, QUARANTINE
from schemas.errors import Conflict, HubbubError
from schemas.ids import derive
from schemas.letters import LetterState
from schemas.outbound import DeliveryState
from schemas.ports import HealthState
from schemas.steps import Position, Query, Step, Where

ENGINE_SECONDS = 2.0
PROBE_KEPT = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_UP = (
    Metric.LAG,
    Metric.STALLED_SECONDS,
    Metric.QUEUE_OPEN,
    Metric.QUEUE_UNASSIGNED,
    Metric.QUEUE_OLDEST_SECONDS,
    Metric.OUTBOUND,
)
"""Gauges that only the log and the store can tell."""
OUTBOUND_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.UNKNOWN)

router = APIRouter(tags=["operations"], route_class=Operation)


class Live(BaseModel):
    status: str = "live"
    version: str


class Spooled(BaseModel):
    """What came in while Kafka or MongoDB did not take it, and waits on the disk."""

    items: int
    stuck: int
    bytes: int
    oldest_at: datetime | None


class Ready(BaseModel):
    """`ready` means progress: each consumer moves or has nothing to do. `reasons` says what does not."""

    ready: bool
    reasons: list[str]
    consumers: dict[str, int]
    """How many events lie beyond each consumer's position."""
    connectors: dict[str, HealthState]
    spool: Spooled | None = None


@dataclass
class Progress:
    """When each consumer was last seen to move. Looked at with each question; no task of its own."""

    _seen: dict[str, tuple[Position, datetime]] = field(default_factory=dict)

    def stalled_seconds(self, consumer: str, position: Position, lag: int, now: datetime) -> float:
        """For how long the consumer has had work and stood still, as far as was seen."""
        before, since = self._seen.get(consumer, (None, now))
        if lag == 0 or before != position:
            self._seen[consumer] = (position, now)
            return 0.0
        return (now - since).total_seconds()


@dataclass(frozen=True, slots=True)
class Standing:
    """One look at the hub."""

    lags: Mapping[str, int]
    stalled: Mapping[str, float]
    shares: Mapping[str, Share] = field(default_factory=dict)


async def standing(context: AppContext, progress: Progress) -> Standing:
    positions = await context.engine.positions()
    now = context.clock.now()
    lags = {name: await context.engine.lag(name, topics) for name, topics in context.consumers.items()}
    shares = await context.own() if context.own is not None else None
    if shares is None:
        stalled = {
            name: progress.stalled_seconds(name, positions.get(name, ""), lag, now)
            for name, lag in lags.items()
        }
        return Standing(lags, stalled)
    stalled = {
        name: progress.stalled_seconds(name, str(each.moves), each.lag, now) for name, each in shares.items()
    }
    return Standing(lags, stalled, shares)


@router.get("/health/live", summary="Does the process answer")
async def live(context: Context) -> Live:
    return Live(version=context.facts.version)


@router.get(
    "/health/ready",
    summary="Does the hub get on",
    responses={503: {"model": Ready, "description": "Not ready"}},
)
async def ready(context: Context, request: Request, response: Response) -> Ready:
    """The log accepts, each consumer moved within the bound or has nothing to do, and connectors have started.

    A process that only takes items in and has a spool is ready without the log.
    """
    reasons: list[str] = []
    now = Standing({}, {})
    try:
        async with asyncio.timeout(ENGINE_SECONDS):
            await context.engine.tail()
            now = await standing(context, request.app.state.progress)
            if any(health().state is HealthState.DEGRADED for health in context.connectors.values()):
                await _try_to_write(context)
    except TimeoutError:
        reasons.append(f"the log did not answer within {ENGINE_SECONDS:g} s")
    except HubbubError as error:
        reasons.append(f"the log does not accept: {type(error).__name__}")
    spool = spooled(context)
    if spool is not None and not context.decides:
        reasons.clear()  # it goes on taking items in
    bound = context.facts.limits.stall_seconds
    for name, seconds in now.stalled.items():
        if context.decides and seconds > bound:
            reasons.append(
                f"consumer {name} has {_to_do(now, name)} events to do and has not moved for {seconds:.0f} s"
            )
    states = {name: health().state for name, health in context.connectors.items()}
    reasons += [
        f"connector {name} is {state}"
        for name, state in states.items()
        if state in (HealthState.STARTING, HealthState.STOPPED)
    ]
    if context.is_stopping():
        reasons.append("the hub is stopping")
    response.status_code = 503 if reasons else 200
    response.headers["Cache-Control"] = "no-store"
    return Ready(ready=not reasons, reasons=reasons, consumers=dict(now.lags), connectors=states, spool=spool)


def spooled(context: AppContext) -> Spooled | None:
    if context.spool is None:
        return None
    figures = context.spool()
    oldest = None if figures.oldest_at is None else EPOCH + timedelta(microseconds=figures.oldest_at)
    return Spooled(items=figures.items, stuck=figures.stuck, bytes=figures.size, oldest_at=oldest)


def _to_do(now: Standing, name: str) -> int:
    return now.shares[name].lag if name in now.shares else now.lags[name]


async def _try_to_write(context: AppContext) -> None:
    """One small write, asked for where a connector could not take something in. Raises Outage while nothing can be written."""
    id, now = derive("health", "probe"), context.clock.now()
    before = await load(context.engine, AnsweredRequest, id)
    probe = AnsweredRequest(id=id, digest="", status=200, body=b"", expires_at=now + PROBE_KEPT)
    revision = before.revision if before is not None else 0
    try:
        await context.engine.commit(Step(documents=[(probe, revision)]))
    except Conflict:
        return  # somebody else's probe was written


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_model=None,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses(401, 503)},
)
async def metrics(
    context: Context, request: Request, authorization: Annotated[str, Header(max_length=500)] = ""
) -> Response:
    """Needs `Authorization: Bearer …` where the settings name a token for metrics."""
    token = context.facts.metrics_token
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}"
        if not hmac.compare_digest(authorization.encode(), expected.encode()):
            raise Unauthenticated("send the token for metrics that the settings name")
    gather_spool(context)
    try:
        await gather(context, request.app.state.progress)
    except HubbubError:
        if context.spool is None:
            raise
        for name in LOOKED_UP:  # better nothing than what was
            context.metrics.forget(name)
    return Response(
        context.metrics.text(), headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    )


def gather_spool(context: AppContext) -> None:
    spool, metrics = spooled(context), context.metrics
    if spool is None:
        return
    metrics.set(Metric.SPOOL_ITEMS, spool.items)
    metrics.set(Metric.SPOOL_STUCK, spool.stuck)
    metrics.set(Metric.SPOOL_BYTES, spool.bytes)
    waits = (context.clock.now() - spool.oldest_at).total_seconds() if spool.oldest_at else 0.0
    metrics.set(Metric.SPOOL_OLDEST_SECONDS, waits)


async def gather(context: AppContext, progress: Progress) -> None:
    """Set the gauges that are looked up when asked for."""
    metrics, engine = context.metrics, context.engine
    now = await standing(context, progress)
    metrics.set_all(Metric.LAG, now.lags)
    metrics.set_all(Metric.STALLED_SECONDS, now.stalled)
    shares = now.shares.items()
    metrics.set_all(Metric.SHARE_LAG, {name: each.lag for name, each in shares})
    metrics.set_all(Metric.PARTITIONS, {name: each.partitions for name, each in shares})
    metrics.set_all(Metric.PARKED_KEYS, {name: each.parked_keys for name, each in shares})
    metrics.set_all(Metric.PARKED_MOST, {name: each.parked_most for name, each in shares})
    moment = context.clock.now()
    counts = await engine.tally(None, moment)
    metrics.set_all(Metric.QUEUE_OPEN, {each.queue: each.open for each in counts})
    metrics.set_all(Metric.QUEUE_UNASSIGNED, {each.queue: each.unassigned for each in counts})
    waits = {
        each.queue: (moment - each.oldest_waiting).total_seconds() if each.oldest_waiting else 0.0
        for each in counts
    }
    metrics.set_all(Metric.QUEUE_OLDEST_SECONDS, waits)
    is_open = (Where("state", "=", str(LetterState.OPEN)),)
    metrics.set(Metric.QUARANTINE_OPEN, await engine.count(Query(QUARANTINE, is_open)))
    metrics.set(Metric.DEAD_LETTERS_OPEN, await engine.count(Query(DEAD_LETTERS, is_open)))
    metrics.set(Metric.PARKED, await engine.count(Query(PARKED)))
    outbound = {
        str(state): float(await engine.count(Query(DELIVERIES, (Where("state", "=", str(state)),))))
        for state in OUTBOUND_OPEN
    }
    metrics.set_all(Metric.OUTBOUND, outbound)
    ups = {
        name: float(health().state in (HealthState.OK, HealthState.DEGRADED))
        for name, health in context.connectors.items()
    }
    metrics.set_all(Metric.CONNECTOR_UP, ups)
    gather_connectors(context, moment)
    metrics.set(Metric.CONFIGURATION, context.service.company.current.number)


def gather_connectors(context: AppContext, now: datetime) -> None:
    """How the connectors of this process get on, where they say so."""
    if context.controls is None:
        return
    gauges: dict[Metric, dict[str, float]] = {
        Metric.CONNECTOR_SILENT_SECONDS: {},
        Metric.CONNECTOR_IDLE_SECONDS: {},
        Metric.CONNECTOR_UNFETCHED_SECONDS: {},
        Metric.CONNECTOR_RETRY_SECONDS: {},
    }
    for name, health in context.connectors.items():
        channel, _, account = name.partition(":")
        how = context.controls.standing(health(), channel, account)
        silent = how.silent_for.total_seconds() if how.silent_for else 0.0
        gauges[Metric.CONNECTOR_SILENT_SECONDS][name] = silent
        if how.last_item_at is not None:
            gauges[Metric.CONNECTOR_IDLE_SECONDS][name] = (now - how.last_item_at).total_seconds()
        if how.health.oldest_unfetched_at is not None:
            waits = (now - how.health.oldest_unfetched_at).total_seconds()
            gauges[Metric.CONNECTOR_UNFETCHED_SECONDS][name] = max(0.0, waits)
        if how.health.next_retry_at is not None:
            rest = (how.health.next_retry_at - now).total_seconds()
            gauges[Metric.CONNECTOR_RETRY_SECONDS][name] = max(0.0, rest)
    for metric, values in gauges.items():
        context.metrics.set_all(metric, values)

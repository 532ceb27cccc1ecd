"""How the channels and consumers are, for supervisors."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import Console, only_with
from hub.console.operating import consumer_name
from hub.console.words import Words
from hub.http.connectors import ConnectorOut, known_connectors
from hub.http.rights import Right
from schemas.ports import HealthState

HEALTH_ICONS = {
    HealthState.OK: "circle-check",
    HealthState.STARTING: "refresh-cw",
    HealthState.DEGRADED: "triangle-alert",
    HealthState.STOPPED: "circle-x",
}


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    name: str
    state: str
    icon: str
    detail: str
    last: str
    is_well: bool


async def health(console: Console, request: Request) -> Response:
    only_with(Right.LOOK, console, request)
    words, context = console.words(request), console.context
    channels = [_health(each, words) for each in await known_connectors(context)]
    names = list(context.consumers)
    lags = await asyncio.gather(*(context.engine.lag(name, context.consumers[name]) for name in names))
    values = {
        "channels": channels,
        "consumers": [(consumer_name(name, words), lag) for name, lag in zip(names, lags, strict=True)],
    }
    return await console.page(request, "health.html", "health", words.t("health.title"), values)


def _health(found: ConnectorOut, words: Words) -> ChannelHealth:
    last = words.t("health.never")
    if found.last_success_at is not None:
        last = words.t("health.last", ago=words.ago(found.last_success_at).words)
    for key, moment in (("health.item", found.last_item_at), ("health.oldest", found.oldest_unfetched_at)):
        if moment is not None:
            last += " · " + words.t(key, ago=words.ago(moment).words)
    if found.next_retry_at is not None:
        last += " · " + words.t("health.retry", at=f"{found.next_retry_at:%H:%M:%S}")
    is_silent = found.silent_seconds is not None
    state = words.t("health.silent") if is_silent else words.t(f"health.{found.state}")
    icon = HEALTH_ICONS[HealthState.DEGRADED if is_silent else found.state]
    is_well = found.state in {HealthState.OK, HealthState.STARTING} and not is_silent
    return ChannelHealth(found.name, state, icon, words.t.said(found.detail), last, is_well)

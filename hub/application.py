"""The three applications that a hub serves, each an origin of its own: console with API, public intake, files."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from ipaddress import ip_network

from starlette.types import ASGIApp

from connectors.kit.channel import Opened
from connectors.kit.hooks import Hook
from hub.console.frames import mount_frames
from hub.console.router import mount
from hub.http.app import api_app
from hub.http.context import AppContext, Facts, Limits, Own
from hub.http.files import files_app
from hub.http.hooks import HookServer
from hub.http.previews import mount_previews
from hub.http.probes import health_app
from hub.listening import HEALTH
from hub.openid.flow import SingleSignOn
from hub.roles import EVERYTHING, Role, Roles
from hub.secrets import derived
from hub.wiring import Hub

NOWHERE = "http://localhost"
"""What a process says of the address of console or files that another one serves, where the settings name no public one."""


def applications(
    hub: Hub,
    addresses: Mapping[str, str],
    is_stopping: Callable[[], bool],
    roles: Roles = EVERYTHING,
    work: Own | None = None,
) -> dict[str, ASGIApp]:
    """Name of the listening address -> its application."""
    context = app_context(hub, addresses, is_stopping, roles, work)
    app, files = api_app(context), files_app(context)
    mount(app, context)
    mount_frames(files, context)
    mount_previews(files, context)
    apps: dict[str, ASGIApp] = {"console": app, "files": files, HEALTH: health_app(context)}
    pages = next((each.app for each in hub.channels.values() if each.app is not None), files_app(context))
    apps["intake"] = HookServer(hooks_of(hub.channels), pages, hub.clock, is_stopping, hub.controls.is_paused)
    return apps


def hooks_of(channels: Mapping[str, Opened]) -> dict[tuple[str, str], Hook]:
    """By channel and account."""
    return {(name, account): hook for name, each in channels.items() for account, hook in each.hooks.items()}


def app_context(
    hub: Hub,
    addresses: Mapping[str, str],
    is_stopping: Callable[[], bool],
    roles: Roles = EVERYTHING,
    work: Own | None = None,
) -> AppContext:
    settings = hub.settings
    return AppContext(
        service=hub.service,
        accounts=hub.accounts,
        people=hub.people,
        engine=hub.engine,
        clock=hub.clock,
        secret=derived(hub.secret, "http"),
        facts=Facts(
            public_url=addresses.get("console", NOWHERE),
            files_url=addresses.get("files", NOWHERE),
            version=version("hubbub"),
            trusted_proxies=tuple(ip_network(each) for each in settings.console.trusted_proxies),
            metrics_token=settings.metrics_token,
            limits=Limits(stall_seconds=settings.workers.stall_seconds),
            undo_seconds=settings.console.undo_seconds,
        ),
        metrics=hub.metrics,
        letters=hub.letters,
        verifier=hub.verifier,
        backups=hub.engine,
        publisher=hub.publishing,
        ingester=hub.ingester,
        consumers={each.consumer.name: each.consumer.topics for each in hub.runners},
        connectors={f"{each.channel}:{each.account}": each.health for each in hub.connectors}
        if Role.CONNECTORS in roles
        else {},
        single_sign_on=SingleSignOn(settings.sign_in.openid, hub.clock, derived(hub.secret, "single sign-on"))
        if settings.sign_in.openid
        else None,
        controls=hub.controls,
        reparser=hub.reparsing,
        decides=Role.WORKERS in roles,
        own=work,
        spool=hub.spool.figures if hub.spool is not None and Role.CONNECTORS in roles else None,
        is_stopping=is_stopping,
    )

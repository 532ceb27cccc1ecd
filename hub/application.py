"""The three applications that a hub serves, each an origin of its own: console with API, public intake, files."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from ipaddress import ip_network

from starlette.types import ASGIApp

from hub.console.frames import mount_frames
from hub.console.router import mount
from hub.http.app import api_app
from hub.http.context import AppContext, Facts
from hub.http.files import files_app
from hub.secrets import derived
from hub.wiring import Hub


def applications(
    hub: Hub, addresses: Mapping[str, str], is_stopping: Callable[[], bool]
) -> dict[str, ASGIApp]:
    """Name of the listening address -> its application."""
    context = app_context(hub, addresses, is_stopping)
    app, files = api_app(context), files_app(context)
    mount(app, context)
    mount_frames(files, context)
    apps: dict[str, ASGIApp] = {"console": app, "files": files}
    apps["intake"] = hub.webform.app if hub.webform is not None else files_app(context)
    return apps


def app_context(hub: Hub, addresses: Mapping[str, str], is_stopping: Callable[[], bool]) -> AppContext:
    settings = hub.settings
    return AppContext(
        service=hub.service,
        accounts=hub.accounts,
        people=hub.people,
        engine=hub.engine,
        clock=hub.clock,
        secret=derived(hub.secret, "http"),
        facts=Facts(
            public_url=addresses["console"],
            files_url=addresses["files"],
            version=version("hubbub"),
            trusted_proxies=tuple(ip_network(each) for each in settings.console.trusted_proxies),
            metrics_token=settings.metrics_token,
        ),
        metrics=hub.metrics,
        letters=hub.letters,
        verifier=hub.verifier,
        backups=hub.engine,
        publisher=hub.publishing,
        ingester=hub.ingester,
        consumers={each.consumer.name: each.consumer.topics for each in hub.runners},
        connectors={f"{each.channel}:{each.account}": each.health for each in hub.connectors},
        is_stopping=is_stopping,
    )

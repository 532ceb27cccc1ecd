"""What is wrong across the parts of the settings, beyond what each part can see of itself."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from connectors.kit.signatures import secret_bytes
from hub.channels import sections
from hub.loading.servers import server_problems
from hub.settings import HubSettings, ListenSettings
from processors.configuration import problems as configuration_problems
from processors.problems import Problem, nearest
from schemas.configuration import Answer, NotifyMail

LISTENING = ("console", "intake", "files")
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared, not bound


def semantic_problems(settings: HubSettings) -> list[Problem]:
    """All of them; none says a secret."""
    return [
        *configuration_problems(settings.company()),
        *server_problems(settings),
        *_listening(settings),
        *_networks(settings),
        *_channels(settings),
        *_sending(settings),
        *_webhooks(settings),
    ]


def _listening(settings: HubSettings) -> Iterable[Problem]:
    places = {f"{name}.port": _address(getattr(settings, name)) for name in LISTENING}
    for channel, section in sections(settings):
        mentioned = channel.mentions(section).ports
        places |= {f"{channel.name}.{path}": address for path, address in mentioned.items()}
    for (_, first), (path, second) in combinations(places.items(), 2):
        if first[1] and first[1] == second[1] and _share(first[0], second[0]):
            other = next(each for each, address in places.items() if address is first)
            yield Problem(path, f"{second[1]} is the port of {other} already; give it one of its own")
    for name in LISTENING:
        url = getattr(settings, name).public_url
        if url is not None and not _is_origin(url):
            message = "must be scheme and host only, such as https://desk.example.com"
            yield Problem(f"{name}.public_url", message)


def _address(listen: ListenSettings) -> tuple[str, int]:
    return listen.host, listen.port


def _share(first: str, second: str) -> bool:
    return first == second or bool({first, second} & ANY_ADDRESS)


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises for what is no port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    return is_web and parts.path in {"", "/"} and not parts.query and not parts.fragment


def _networks(settings: HubSettings) -> Iterable[Problem]:
    lists = {f"{name}.trusted_proxies": getattr(settings, name).trusted_proxies for name in LISTENING}
    lists["webhook_private_networks"] = settings.webhook_private_networks
    for path, networks in lists.items():
        for index, text in enumerate(networks):
            try:
                ip_network(text, strict=False)
            except ValueError:
                yield Problem(f"{path}[{index}]", f"{text!r} is no address or network, such as 10.1.0.0/16")


def _channels(settings: HubSettings) -> Iterable[Problem]:
    """What the sections of channels refer to."""
    for channel, section in sections(settings):
        mentioned = channel.mentions(section)
        for path, brand in mentioned.brands.items():
            yield from _brand(settings, brand, f"{channel.name}.{path}")
        for path, queue in mentioned.queues.items():
            yield from _queue(settings, queue, f"{channel.name}.{path}")
        for path, file in mentioned.files.items():
            if not Path(file).is_file():
                yield Problem(f"{channel.name}.{path}", f"there is no file {file}")


def _sending(settings: HubSettings) -> Iterable[Problem]:
    """What is answered automatically has to leave somehow."""
    if settings.email is not None and settings.email.relay is not None:
        return
    missing = "email.relay, the server that takes mail out" if settings.email else "email with a relay"
    for index, automation in enumerate(settings.automations):
        for place, action in enumerate(automation.actions):
            if isinstance(action, Answer | NotifyMail):
                message = f"sends mail, which needs {missing}; set it or remove this action"
                yield Problem(f"automations[{index}].actions[{place}]", message)


def _brand(settings: HubSettings, brand: str, path: str) -> Iterable[Problem]:
    known = [each.name for each in settings.brands]
    if brand not in known:
        hint = nearest(brand, known) or f"; there are {', '.join(known)}"
        yield Problem(f"{path}.brand", f"there is no brand {brand!r}{hint}")


def _queue(settings: HubSettings, queue: str | None, path: str) -> Iterable[Problem]:
    known = [each.name for each in settings.queues]
    if queue is not None and queue not in known:
        yield Problem(path, f"there is no queue {queue!r}{nearest(queue, known)}")


def _unreachable(settings: HubSettings) -> Iterable[Problem]:
    """Addresses that would not be called. Names are looked up when they are."""
    if not settings.webhooks:
        return
    from connectors.kit.egress import is_public  # noqa: PLC0415  it brings an HTTP client, which few checks need

    for index, webhook in enumerate(settings.webhooks):
        try:
            allowed = [ip_network(each, strict=False) for each in settings.webhook_private_networks]
            host = urlsplit(webhook.url).hostname or ""
            address = ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            continue
        if not is_public(address, allowed):
            message = f"{host} is not on the public internet; add its network to webhook_private_networks"
            yield Problem(f"webhooks[{index}].url", message)


def _webhooks(settings: HubSettings) -> Iterable[Problem]:
    names = [each.name for each in settings.webhooks]
    for index, name in enumerate(names):
        if name not in settings.webhook_secrets:
            message = f"{name!r} has no secret; set webhook_secrets.{name} (whsec_…)"
            yield Problem(f"webhooks[{index}]", message)
    yield from _unreachable(settings)
    for name, secret in settings.webhook_secrets.items():
        if name not in names:
            message = f"there is no webhook {name!r}{nearest(name, names)}"
            yield Problem(f"webhook_secrets.{name}", message)
        try:
            secret_bytes(secret.get_secret_value())
        except ValueError as error:
            yield Problem(f"webhook_secrets.{name}", str(error))

"""Every channel of this installation, one line each. Settings, wiring, commands and docs find them here and nowhere else."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from connectors.kit.channel import Channel, Opened
from connectors.kit.writing import Writer
from schemas.capabilities import Capabilities, Count

MODULES: tuple[str, ...] = (
    "connectors.email.channel",
    "connectors.webform.channel",
    "connectors.slack.channel",
    "connectors.x.channel",
    "connectors.webhook.channel",
)
"""Each has `CHANNEL`. The order is that of the documentation."""


@cache
def channels() -> dict[str, Channel[Any]]:
    """Name -> channel. Raises ValueError where two have one name."""
    found: dict[str, Channel[Any]] = {}
    for module in MODULES:
        channel: Channel[Any] = import_module(module).CHANNEL
        if channel.name in found:
            raise ValueError(f"{module}: the channel {channel.name} is there already")
        found[channel.name] = channel
    return found


def counts() -> dict[str, Count]:
    """Channel -> its own way to count, for those that have one."""
    return {name: channel.count for name, channel in channels().items() if channel.count is not None}


def capabilities(settings: object, opened: Mapping[str, Opened]) -> dict[str, Capabilities]:
    """`channel:account` -> what it can do."""
    return {
        f"{channel.name}:{account}": opened[channel.name].capabilities.get(account, channel.capabilities)
        for channel, section in sections(settings)
        for account in channel.accounts(section)
    }


def brands_of(settings: object) -> dict[str, str]:
    """`channel:account` -> its brand."""
    return {
        f"{channel.name}:{account}": brand
        for channel, section in sections(settings)
        for account, brand in channel.accounts(section).items()
    }


def writers(opened: Mapping[str, Opened]) -> dict[str, Writer]:
    """Channel -> what it tells of messages before they leave, for those that tell anything."""
    return {name: each.writer for name, each in opened.items() if each.writer is not None}


def sections(settings: object) -> Iterator[tuple[Channel[Any], Any]]:
    """Each channel whose section the settings have, with that section."""
    for name, channel in channels().items():
        section = getattr(settings, name, None)
        if section is not None:
            yield channel, section

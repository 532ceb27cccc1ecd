"""One channel by itself, on an empty engine that is thrown away: to try payloads and credentials without a running hub."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.kit.channel import Channel, Opened, Payload
from connectors.kit.downloads import Downloads
from connectors.kit.hooks import HookAnswer, HookRequest
from connectors.kit.intake import Accepted, Intake
from hub.secrets import BYTES, FILE, installation_secret
from hub.settings import HubSettings
from hub.wiring import SystemClock, surroundings
from schemas.errors import Invalid
from schemas.ports import Clock
from sinks.sqlite.engine import open_engine


@asynccontextmanager
async def opened_alone(
    settings: HubSettings, channel: Channel[Any], clock: Clock | None = None
) -> AsyncIterator[Opened]:
    """The channel, opened and not started. Raises Invalid where the settings have no section for it."""
    section = getattr(settings, channel.name, None)
    if section is None:
        cure = f"`hubbub init --channel {channel.name}` writes an example"
        raise Invalid(f"the settings have no section `{channel.name}`", {channel.name: cure})
    clock = clock or SystemClock()
    with tempfile.TemporaryDirectory(prefix="hubbub-") as folder:
        engine = await open_engine(Path(folder), clock=clock)
        downloads = Downloads(settings.media, engine.put_blob)
        intake = Intake(engine, clock)
        try:
            secret = _secret(settings.data)
            around = surroundings(settings, Path(folder), secret, engine, clock, intake, downloads)
            opened: Opened = channel.open(section, around)
            yield opened
            await opened.close()
        finally:
            await downloads.close()
            await engine.close()


def _secret(folder: Path) -> bytes:
    """The installation's, by which its own tokens are known; without one, any."""
    return installation_secret(folder, is_new=False) if (folder / FILE).exists() else bytes(BYTES)


async def understood(opened: Opened, payload: Payload, *, is_proven: bool) -> Sequence[Accepted] | HookAnswer:
    """What the payload becomes; for a handshake the answer to it. Keeps nothing. Raises Invalid, Unverified or Unreadable.

    `is_proven`: the payload's headers have to prove who sent it, as they would have to in earnest.
    """
    if opened.understand is not None:
        return await opened.understand(payload)
    account = payload.account or next(iter(opened.hooks), "")
    hook = opened.hooks.get(account)
    if hook is None:
        there = ", ".join(opened.hooks) or "none takes webhooks"
        raise Invalid(f"there is no account {account!r} whose payloads can be tried", {"account": there})
    headers = {"content-type": payload.media_type, **payload.headers}
    request = HookRequest("POST", headers, payload.content, payload.received_at)
    if is_proven:
        hook.verify(request)
    items = hook.split(request)
    return items if isinstance(items, HookAnswer) else [hook.receiver.read(each) for each in items]

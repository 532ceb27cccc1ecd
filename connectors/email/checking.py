"""Do the credentials work: the relay lets us in, and each mailbox does and has its folders. Nothing is sent or changed."""

import asyncio
import ssl
from collections.abc import AsyncIterator

from connectors.email.imap.client import ImapClient
from connectors.email.imap.errors import ImapError, LoginRefused
from connectors.email.imap.login import log_in
from connectors.email.imap.oauth import AccessTokens
from connectors.email.imap.settings import ImapSettings
from connectors.email.relay import RelayPool, Unconnected
from connectors.email.settings import EmailSettings, RelaySettings
from connectors.kit.channel import Finding

SECONDS = 30.0
RELAY = "relay"


async def check(settings: EmailSettings) -> AsyncIterator[Finding]:
    """One finding for the relay and one for each mailbox."""
    if settings.relay is None:
        cure = "set email.relay to the server that takes mail out; until then nothing is sent"
        yield Finding(RELAY, "there is no relay", is_well=False, cure=cure)
    else:
        yield await _relay(settings.relay)
    for mailbox in settings.imap:
        yield await _mailbox(mailbox)


async def _relay(settings: RelaySettings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    pool = RelayPool(settings)
    try:
        async with asyncio.timeout(SECONDS), pool.connection() as connection:
            connection.is_clean = True
    except Unconnected as error:
        cure = "see host, port, security, username and password of email.relay"
        return Finding(RELAY, str(error), is_well=False, cure=cure)
    except TimeoutError:
        return Finding(
            RELAY, f"{where} did not answer", is_well=False, cure="see host and port of email.relay"
        )
    finally:
        await pool.close()
    login = f" as {settings.username}" if settings.username else ""
    return Finding(RELAY, f"{where} lets us in{login}", is_well=True)


async def _mailbox(settings: ImapSettings) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            return await _signed_in(settings)
    except LoginRefused as error:  # says where to click at the providers that it knows
        cure = "see username and password or oauth of the mailbox; with two-factor sign-in it takes an app password"
        return Finding(settings.name, str(error), is_well=False, cure=cure)
    except (ImapError, OSError, TimeoutError) as error:
        cure = f"see host, port and security of the mailbox {settings.name}"
        return Finding(settings.name, str(error) or "it did not answer", is_well=False, cure=cure)


async def _signed_in(settings: ImapSettings) -> Finding:
    tls = None
    if settings.security != "none":
        tls = await asyncio.to_thread(ssl.create_default_context, cafile=settings.certificate_authorities)
    client = await ImapClient.connect(settings, tls)
    try:
        await log_in(client, AccessTokens(settings.oauth) if settings.oauth else None)
        there = [each.name for each in await client.folders() if each.can_be_opened]
        missing = [name for name in settings.folders if not _is_there(name, there)]
        await client.log_out()
    finally:
        await client.close()
    if missing:
        cure = f"set `folders` to some of: {', '.join(there[:12])}"
        return Finding(settings.name, f"there is no folder {', '.join(missing)}", is_well=False, cure=cure)
    return Finding(settings.name, f"{settings.host} lets us in as {settings.username}", is_well=True)


def _is_there(name: str, there: list[str]) -> bool:
    """INBOX in any spelling; folders with a special use are named by it and looked up when they are read."""
    return name.startswith("\\") or name.upper() == "INBOX" or name in there

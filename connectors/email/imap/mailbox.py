"""A mailbox as the hub sees it: a connector that keeps one connection, reads its folders, and never gives up for good.

Each has a task, a connection and a reader of its own. What goes wrong in one is told by its health and concerns no other.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.email.imap.client import ImapClient
from connectors.email.imap.errors import ConnectionLost, LoginRefused, Refused, Stopped
from connectors.email.imap.folder import FolderReader
from connectors.email.imap.login import log_in
from connectors.email.imap.oauth import AccessTokens
from connectors.email.imap.responses import Folder
from connectors.email.imap.settings import ImapSettings
from connectors.email.mapping import CHANNEL, MailContext
from connectors.email.reader import MailReader
from connectors.email.receiver import MailReceiver
from connectors.email.suspects import Suspects
from connectors.kit.cursors import Cursors
from connectors.kit.intake import Intake
from schemas.errors import Conflict, NotYet, Outage
from schemas.ports import Health, HealthState

log = structlog.get_logger("connectors.email")

SHORTEST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
# Fast tries with a wrong password lock a mailbox.
LOGIN_WAIT_SECONDS = 900.0
LONGEST_LOGIN_WAIT_SECONDS = 3600.0
OTHER_READER_SECONDS = 60.0
# Under a lease it means that the lease is lost, or about to be taken back.
LATE_READER_SECONDS = 2.0
FAULT_SECONDS = 60.0
SWEEP_SECONDS = 3600.0
JUNK = "\\Junk"
MOST_NAMED = 12
REPLAY_GRACE_SECONDS = 10.0


def _jitter() -> float:
    return random.SystemRandom().uniform(0.5, 1.0)


class Mailbox:
    """`start` returns at once; `health` says whether the server lets us in and what is read."""

    channel = CHANNEL

    def __init__(
        self,
        settings: ImapSettings,
        intake: Intake,
        context: MailContext,
        cursors: Cursors,
        jitter: Callable[[], float] = _jitter,
        suspects: Suspects | None = None,
    ) -> None:
        """`context` holds the names whose word on senders counts in this mailbox."""
        self.account = settings.name
        self._settings = settings
        self._reader = MailReader(suspects=suspects)
        self.receiver = MailReceiver(intake, self._reader, context)
        self._cursors = cursors
        self._clock = intake.clock
        self._jitter = jitter
        self._tokens = AccessTokens(settings.oauth) if settings.oauth else None
        self._tls: ssl.SSLContext | None = None
        self._readers: dict[str, FolderReader] = {}
        self._task: asyncio.Task[None] | None = None
        self._state = HealthState.STARTING
        self._doing = ""
        self._trouble = ""
        self._folder_troubles: dict[str, str] = {}
        self._alerts: Sequence[str] = ()
        self._next_try: datetime | None = None
        self._last_success_at: datetime | None = None
        self._failures = 0
        self._login_failures = 0
        self._is_stopping = False
        self._is_taking = False
        self._token = 0
        self._again_since: datetime | None = None

    async def start(self) -> None:
        await self.start_as(0)

    async def start_as(self, token: int) -> None:
        """Under a lease: whoever holds an older one can note nothing any more, and the next one takes over from what is noted."""
        self._token = token
        self._readers.clear()
        self._is_stopping = False
        self._doing = "connecting"
        # It has started: whether its server answers is no reason to call the hub not ready.
        self._state = HealthState.DEGRADED
        self._task = asyncio.create_task(self._run(), name=f"imap {self.account}")

    async def stop(self, grace_seconds: float) -> None:
        """Mails that have come are brought to the log and noted; what takes longer than the grace is fetched again later."""
        self._is_stopping = True
        task, self._task = self._task, None
        if task is not None:
            if not self._is_taking:
                task.cancel()
            _, late = await asyncio.wait([task], timeout=grace_seconds)
            if late:
                task.cancel()
                await asyncio.wait([task])
        await self._reader.close()
        self._state = HealthState.STOPPED

    async def replay(self, since: datetime) -> str:
        """Everything that came since then is fetched once more. Raises NotYet while another process reads the mailbox, or none."""
        if self._task is None:
            raise NotYet(f"the mailbox {self.account} is not read here")
        await self.stop(REPLAY_GRACE_SECONDS)
        self._again_since = since
        await self.start_as(self._token)
        return f"fetched again since {since:%Y-%m-%d %H:%M} UTC; what is known does nothing"

    def health(self) -> Health:
        troubles = [self._trouble, *self._folder_troubles.values()]
        troubles += [each.trouble for each in self._readers.values()]
        said = "; ".join(filter(None, troubles))
        if self._trouble and self._next_try is not None:
            said += f"; next try at {self._next_try:%H:%M:%S} UTC"
        alerts = "".join(f"; the server says: {each}" for each in self._alerts)
        # What lies there and was not fetched came after the last time that everything was.
        is_behind = bool(said) or any(each.left for each in self._readers.values())
        since = self._last_success_at if is_behind else None
        if self._state is HealthState.STOPPED or not said:
            detail = self._progress() + alerts
            return Health(self._state, detail, self._last_success_at, oldest_unfetched_at=since)
        return Health(
            HealthState.DEGRADED,
            said + alerts,
            self._last_success_at,
            next_retry_at=self._next_try if self._trouble else None,
            oldest_unfetched_at=since,
        )

    def _progress(self) -> str:
        taken = sum(each.taken for each in self._readers.values())
        left = sum(each.left for each in self._readers.values())
        return f"{self._doing}, {taken} mails taken" + (f", {left} to fetch" if left else "")

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                await self._session()
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 whatever a mailbox does, the others and the hub go on
                await self._after(error)

    async def _after(self, error: Exception) -> None:
        """Says what is wrong and waits as long as that asks for."""
        wait = self._wait_after(error)
        self._state = HealthState.DEGRADED
        self._next_try = self._clock.now() + timedelta(seconds=wait)
        log.warning(
            "mailbox cannot be read", mailbox=self.account, reason=self._trouble, wait_seconds=round(wait)
        )
        await asyncio.sleep(wait)

    def _wait_after(self, error: Exception) -> float:
        self._trouble = f"{self._settings.host}:{self._settings.port}: {error}"
        match error:
            case LoginRefused():
                self._login_failures += 1
                wait = LOGIN_WAIT_SECONDS * 2.0 ** min(self._login_failures - 1, 8)
                return min(wait, LONGEST_LOGIN_WAIT_SECONDS)
            case ConnectionLost() | Refused():
                self._failures += 1
                longest = min(
                    LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 16)
                )
                return longest * self._jitter()
            case Outage():
                self._trouble = f"mail waits in the mailbox: {error}"
                return error.retry_after_seconds
            case Conflict():
                self._trouble = f"another hub reads this mailbox under the same name: {error}"
                return LATE_READER_SECONDS if self._token else OTHER_READER_SECONDS
        self._trouble = f"a fault of ours: {type(error).__name__}"
        log.error("mailbox met a fault", mailbox=self.account, exc_info=error)
        return FAULT_SECONDS

    async def _session(self) -> None:
        """One connection, until it is lost."""
        settings = self._settings
        self._doing = f"connecting to {settings.host}:{settings.port}"
        if self._tls is None and settings.security != "none":
            self._tls = await asyncio.to_thread(_context, settings)
        client = await ImapClient.connect(settings, self._tls)
        try:
            await log_in(client, self._tokens)
            self._login_failures = 0
            for each in self._readers.values():
                each.begin()
            await self._read(client)
        finally:
            self._alerts = client.alerts
            if self._is_stopping:
                await client.log_out()
            else:
                await client.close()

    async def _read(self, client: ImapClient) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            readers = await self._readers_of(client)
            # The first is visited last, so that it is open when we listen.
            for each in reversed(readers):
                await self._visit(client, each)
            self._went_well(client)
            waits = (
                self._settings.poll_seconds if len(readers) > 1 or self._folder_troubles else SWEEP_SECONDS
            )
            deadline = clock() + waits
            while (left := deadline - clock()) > 0:
                await self._listen(client, left)
                await self._visit(client, readers[0])
                self._went_well(client)

    async def _visit(self, client: ImapClient, reader: FolderReader) -> None:
        name = reader.folder.name
        self._doing = f"reading {name}"
        self._is_taking = True
        try:
            if await reader.visit(client):
                self._failures = 0
            self._folder_troubles.pop(name, None)
        except Refused as refusal:
            self._folder_troubles[name] = f"folder {name}: {refusal}"
        finally:
            self._is_taking = False
        if self._is_stopping:
            raise Stopped

    async def _listen(self, client: ImapClient, most_seconds: float) -> None:
        """Until there may be something new."""
        settings = self._settings
        if settings.idle and "IDLE" in client.capabilities and client.opened is not None:
            self._doing = "listening"
            with contextlib.suppress(Refused):
                await client.idle(min(settings.idle_renew_seconds, most_seconds))
                self._failures = 0
                return
        self._doing = f"looking every {settings.poll_seconds:g} s"
        await asyncio.sleep(min(settings.poll_seconds, most_seconds))
        await client.synchronise()
        self._failures = 0

    def _went_well(self, client: ImapClient) -> None:
        if self._trouble:
            log.info("mailbox is read again", mailbox=self.account)
        self._trouble, self._next_try = "", None
        self._alerts = client.alerts
        self._state = HealthState.OK
        self._last_success_at = self._clock.now()

    async def _readers_of(self, client: ImapClient) -> list[FolderReader]:
        """Those of the folders that the settings name and the server has. Raises Refused when there is none."""
        there = await client.folders()
        self._folder_troubles.clear()
        found: list[FolderReader] = []
        for name in self._settings.folders:
            folder = _find(there, name)
            if folder is None:
                names = ", ".join(each.name for each in there[:MOST_NAMED] if each.can_be_opened)
                self._folder_troubles[name] = f"there is no folder {name}; there are {names}"
                continue
            found.append(self._readers.get(folder.name) or self._reader_of(folder))
        self._again_since = None
        if not found:
            raise Refused("; ".join(self._folder_troubles.values()))
        return found

    def _reader_of(self, folder: Folder) -> FolderReader:
        reader = FolderReader(
            self._settings,
            folder,
            self.receiver,
            self._cursors,
            self._clock,
            lambda: self._is_stopping,
            self._token,
        )
        reader.again_since = self._again_since
        self._readers[folder.name] = reader
        return reader


def _find(there: Sequence[Folder], name: str) -> Folder | None:
    """INBOX is one name in any spelling; `\\Junk` is a use and not a name."""
    usable = [each for each in there if each.can_be_opened]
    if name.lower() == JUNK.lower():
        return next((each for each in usable if each.is_junk), None)
    if name.upper() == "INBOX":
        return next((each for each in usable if each.name.upper() == "INBOX"), None)
    return next((each for each in usable if each.name == name), None)


def _context(settings: ImapSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.certificate_authorities)
    except OSError as error:
        raise LoginRefused(f"certificate_authorities cannot be read: {error}") from error

"""What the HTTP application stands on. The wiring fills it; tests fill it with fakes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import SecretStr

from connectors.kit.client_address import Network
from hub.accounts import Accounts
from hub.blocking import Blocks
from hub.configuring import Configuring
from hub.connecting import Controls
from hub.correspondence import Correspondence
from hub.drafts import Drafts
from hub.observe import Metrics
from hub.openid.flow import SingleSignOn
from hub.organizations import Organizations
from hub.outgoing import OutgoingFiles
from hub.people import People
from hub.presence import Presences
from hub.previewing import Previewing
from hub.publishing import Publishing
from hub.saved_views import SavedViews
from hub.service import Service
from hub.team import Team
from hub.trying import Trying
from schemas.events import Actor
from schemas.letters import DeadLetter, LetterState, QuarantineItem
from schemas.ports import Clock, Engine, Health
from schemas.steps import Page
from schemas.topics import Topic
from sinks.spool.file import Figures


class Letters(Protocol):
    """What could not be read (quarantine) and what could not be processed (dead letters)."""

    async def dead_letters(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[DeadLetter]: ...

    async def dead_letter(self, id: UUID) -> DeadLetter: ...

    async def replay_dead_letter(self, id: UUID, actor: Actor, value: bytes | None = None) -> None: ...

    async def drop_dead_letter(self, id: UUID, actor: Actor) -> None: ...

    async def quarantine(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[QuarantineItem]: ...

    async def quarantined(self, id: UUID) -> QuarantineItem: ...

    async def original(self, item: QuarantineItem) -> bytes: ...

    async def replay_quarantined(self, id: UUID, actor: Actor) -> None: ...

    async def drop_quarantined(self, id: UUID, actor: Actor) -> None: ...


class Verifier(Protocol):
    """Looks for what breaks the promises."""

    def verify(self, ledger: str | None = None) -> AsyncIterator[Mapping[str, object]]:
        """Each step and each fault as it is found; the last one has `result`: `whole` or `broken`, and the counts.

        `ledger` is the sender's own record, one item id a line.
        """
        ...


class Reparser(Protocol):
    """Reads originals again, as their channels would today."""

    def run(
        self, since: datetime, channel: str | None, actor: Actor, *, apply: bool
    ) -> AsyncIterator[Mapping[str, object]]:
        """Each difference as it is found; the last line has the counts."""
        ...


class Backups(Protocol):
    async def backup(self, folder: str) -> None:
        """A consistent copy into an empty or new folder on this machine. Raises Invalid when it cannot be used."""
        ...


class Ingester(Protocol):
    async def ingest_mail(self, account: str | None, content: bytes) -> "Ingested":
        """One raw mail, by the same path as SMTP. Raises Invalid when the account is not known."""
        ...


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of an item: accepted, duplicate or quarantined."""

    item: UUID
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost."""

    body_bytes: int = 2 * 2**20
    upload_bytes: int = 50 * 2**20
    json_depth: int = 64
    body_seconds: float = 30
    upload_seconds: float = 300
    answer_seconds: float = 30
    streams_per_principal: int = 8
    streams: int = 1000
    heartbeat_seconds: float = 15
    slow_consumer_seconds: float = 30
    stream_seconds: float = 3600
    stall_seconds: float = 30
    """A consumer with work waiting whose position did not move for so long is not ready."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the installation says of itself. `public_url` is the origin of API and console, `files_url` that of files."""

    public_url: str
    files_url: str
    version: str
    trusted_proxies: tuple[Network, ...] = ()
    metrics_token: SecretStr | None = None
    undo_seconds: float = 0
    """So long the console holds an answer back, so that its writer can take it back."""
    limits: Limits = field(default_factory=Limits)

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Share:
    """A consumer in this process: how many events of its part of the log are to be done, and a number that rises as it moves."""

    lag: int
    moves: int
    parked_keys: int = 0
    parked_most: int = 0
    """How many events wait for the parked key that has the most."""
    partitions: int = 0


Own = Callable[[], Awaitable[Mapping[str, Share] | None]]


@dataclass(frozen=True)
class AppContext:
    """`consumers` names each consumer of the log with its topics; `connectors` gives each one's health by its name."""

    service: Service
    accounts: Accounts
    people: People
    engine: Engine
    clock: Clock
    secret: bytes
    facts: Facts
    metrics: Metrics
    letters: Letters
    verifier: Verifier
    backups: Backups
    publisher: Publishing
    ingester: Ingester
    consumers: Mapping[str, Sequence[Topic]] = field(default_factory=dict)
    connectors: Mapping[str, Callable[[], Health]] = field(default_factory=dict)
    single_sign_on: SingleSignOn | None = None
    """None: by password alone."""
    controls: Controls | None = None
    reparser: Reparser | None = None
    spool: Callable[[], Figures] | None = None
    """What waits on this process's disk for Kafka and MongoDB; None where nothing does."""
    is_stopping: Callable[[], bool] = lambda: False
    decides: bool = True
    """Whether the consumers run in this process: if not, those that stand still are none of its business."""
    own: Own | None = None
    """How far the consumers are in the part of the log that is this process's; None: all of it is."""

    @property
    def blocks(self) -> Blocks:
        return Blocks(self.engine, self.clock, self.service)

    @property
    def saved_views(self) -> SavedViews:
        return SavedViews(self.engine, self.clock, self.service)

    @property
    def organizations(self) -> Organizations:
        return Organizations(self.engine, self.clock, self.service)

    @property
    def drafts(self) -> Drafts:
        return Drafts(self.engine, self.clock)

    @property
    def configuring(self) -> Configuring:
        return Configuring(self.engine, self.clock, self.publisher)

    @property
    def team(self) -> Team:
        return Team(self.engine, self.clock, self.accounts)

    @property
    def trying(self) -> Trying:
        return Trying(self.engine, self.clock)

    @property
    def previewing(self) -> Previewing:
        return Previewing(self.service)

    @property
    def presences(self) -> Presences:
        return Presences(self.engine, self.clock)

    @property
    def correspondence(self) -> Correspondence:
        return Correspondence(self.service)

    @property
    def outgoing(self) -> OutgoingFiles:
        return OutgoingFiles(self.engine, self.clock, self.secret)

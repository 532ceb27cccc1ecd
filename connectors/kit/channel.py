"""What a channel says of itself: the one declaration by which settings, wiring, documentation and commands find it.

A folder `connectors/x` has a module `channel.py` with `CHANNEL = Channel(...)`; `hub/channels.py` names that module in one
line. Importing it is cheap: what talks to the outside world is imported inside `open`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from connectors.kit.client_address import Network
from connectors.kit.intake import Accepted, Intake
from connectors.kit.quality import Quality
from schemas.capabilities import Capabilities, Count
from schemas.configuration import Setting
from schemas.interactions import BlobRef
from schemas.letters import QuarantineItem
from schemas.ports import Clock, Connector, Deliverer

if TYPE_CHECKING:  # settings are read by commands that need no HTTP client
    from connectors.kit.cursors import Cursors
    from connectors.kit.downloads import Downloads
    from connectors.kit.grants import Grants
    from connectors.kit.hooks import Hook
    from connectors.kit.kept import Kept
    from connectors.kit.writing import Writer

S = TypeVar("S", bound=Setting)

FetchBlob = Callable[[BlobRef], Awaitable[bytes]]
Reparse = Callable[[bytes, QuarantineItem], Awaitable[Accepted]]
"""Reads an original again, as the channel would read it today. Changes nothing by itself."""
Replay = Callable[[str, datetime], Awaitable[str]]
"""(account, since): the source is asked again for everything since then; what is known does nothing. Says what will happen."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the hub gives to a channel."""

    intake: Intake
    clock: Clock
    cursors: "Cursors"
    fetch_blob: FetchBlob
    secret: Callable[[str], bytes]
    """The installation's key for one purpose, such as `slack`; the same after a restart."""
    downloads: "Downloads"
    public_url: str | None = None
    """Where visitors and vendors reach the intake, if the settings say so; hooks are at {public_url}/hooks/CHANNEL/ACCOUNT."""
    trusted_proxies: Sequence[Network] = ()
    kept: "Kept | None" = None
    """What its customers wrote, for a channel that has to ask whether it may still be shown."""
    folder: Path | None = None
    """Where a channel may leave itself a note for its next start; nothing that must not be lost. None: nowhere."""
    grants: "Grants | None" = None
    """What vendors granted by a page of theirs, such as an installation. None: nothing can be granted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `hubbub connectors check` tried. `cure` says what to change, and where to click."""

    account: str
    what: str
    is_well: bool
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """What is given to `hubbub connectors try`: the bytes of one request, mail or item, and what came with them."""

    content: bytes
    received_at: datetime
    media_type: str = "application/json"
    account: str | None = None
    """None: the only one there is, or the one that the payload itself names."""
    headers: Mapping[str, str] = field(default_factory=dict)


async def _nothing_to_close() -> None:
    return


@dataclass(frozen=True)
class Opened:
    """A channel that is ready to start. Nothing in it runs yet."""

    connectors: Sequence[Connector] = ()
    """Each is started, stopped, asked for its health."""
    deliverer: Deliverer | None = None
    reparse: Reparse | None = None
    hooks: "Mapping[str, Hook]" = field(default_factory=dict)
    """Account -> what answers at /hooks/CHANNEL/ACCOUNT of the intake."""
    app: Any = None
    """An ASGI application for all of the intake's other paths. Only one channel may have one."""
    capabilities: Mapping[str, Capabilities] = field(default_factory=dict)
    """Account -> what it can do, where that differs from the channel."""
    understand: Callable[[Payload], Awaitable[Sequence[Accepted]]] | None = None
    """What a payload becomes, for `hubbub connectors try`. Keeps nothing. None: by the hook of the account."""
    check: Callable[[], AsyncIterator[Finding]] | None = None
    """Tries credentials and permissions; None where there are none."""
    replay: Replay | None = None
    """None: the source cannot be asked for the past."""
    writer: "Writer | None" = None
    """Tells of messages before they leave; None where there is nothing to tell but their text."""
    close: Callable[[], Awaitable[None]] = _nothing_to_close
    """Called last, when nothing is sent any more."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What settings refer to, by place below the channel's section, so that the hub can check it: `accounts[0].brand`."""

    brands: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Place -> host and port that the channel listens on by itself."""


class Listed(Protocol):
    """One account, form or source, as a channel's settings list them. One with a `queue` names it so."""

    @property
    def name(self) -> str: ...

    @property
    def brand(self) -> str: ...


def brands_in(section: str) -> Callable[[Any], Mapping[str, str]]:
    """For `Channel.accounts`, where the settings list the accounts in this section."""

    def accounts(settings: Any) -> Mapping[str, str]:
        listed: Sequence[Listed] = getattr(settings, section)
        return {each.name: each.brand for each in listed}

    return accounts


def mentions_in(section: str) -> Callable[[Any], Mentions]:
    """For `Channel.mentions`, where each account of this section names a brand and perhaps a queue."""

    def mentions(settings: Any) -> Mentions:
        listed: Sequence[Listed] = getattr(settings, section)
        queues = {
            f"{section}[{place}].queue": getattr(each, "queue", None) for place, each in enumerate(listed)
        }
        return Mentions(
            brands={f"{section}[{place}].brand": each.brand for place, each in enumerate(listed)},
            queues={place: queue for place, queue in queues.items() if queue},
        )

    return mentions


@dataclass(frozen=True)
class Channel(Generic[S]):
    """`name` is the section of hubbub.yaml and the channel of every event. `open` may raise Invalid."""

    name: str
    title: str
    describes: str
    """What the section of the settings holds, and what none of it means."""
    settings: type[S]
    capabilities: Capabilities
    open: Callable[[S, Surroundings], Opened]
    accounts: Callable[[S], Mapping[str, str]]
    """Account -> its brand."""
    example: str
    """The section as `hubbub init --channel` writes it: YAML below the key `name`, commented."""
    quality: Quality
    mentions: Callable[[S], Mentions] = lambda _settings: Mentions()
    count: Count | None = None
    """How the channel counts, where `capabilities.counting` is `own`."""
    paths: Sequence[str] = ()
    """Settings that name files, below the section; relative ones are so to the settings file."""

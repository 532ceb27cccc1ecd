"""Files that a message names by their address, fetched while the address is good and kept as blobs.

Nothing here trusts the other side: public addresses only, checked and then connected to (connectors.kit.egress), few redirects,
bounded bytes and time, the type by the bytes, and credentials for the host that they belong to alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from urllib.parse import urljoin, urlsplit

import httpx

from connectors.kit.egress import Network, guarded_client
from connectors.kit.filenames import safe_filename
from connectors.kit.media import MediaSettings
from connectors.kit.scanning import Clamd, Scanner, Verdict
from connectors.kit.sniffing import sniff
from connectors.kit.uploads import honest_name
from schemas.interactions import Attachment, BlobRef

REDIRECTS = 3
TRIES = 2
AT_ONCE = 4
PORTS = {"http": 80, "https": 443}

PutBlob = Callable[[bytes, str], Awaitable[BlobRef]]


class NotFetched(Exception):
    """Why a file is not kept. `again` says that another try may help."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. `headers` (a token) go to the origin of `url` and to `token_origins` (https://files.example), nowhere else."""

    url: str
    name: str
    media_type: str = ""
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    token_origins: Collection[str] = ()


class Downloads:
    """Fetches files. Total: what cannot be had becomes an attachment without bytes whose `note` says why."""

    def __init__(
        self,
        settings: MediaSettings,
        put_blob: PutBlob,
        scanner: Scanner | None = None,
        hosts: Collection[str] = (),
    ) -> None:
        """`hosts` that the settings name themselves, as an `api_url` does, are reached though they are private."""
        self._settings = settings
        self._put_blob = put_blob
        self._scanner = scanner or (Clamd(settings.scan) if settings.scan else None)
        networks: list[Network] = [ip_network(each, strict=False) for each in settings.private_networks]
        self._client = guarded_client(networks, settings.seconds, hosts)
        self._slots = asyncio.Semaphore(AT_ONCE)

    def trusting(self, *urls: str | None) -> "Downloads":
        """The same for a channel whose settings name these addresses, such as a stand-in of the vendor on this machine."""
        hosts = [urlsplit(each).hostname or "" for each in urls if each]
        return Downloads(self._settings, self._put_blob, self._scanner, hosts)

    async def fetch(self, wanted: Wanted) -> Attachment:
        """The file, kept. Never raises for what a peer does; raises Outage when the engine cannot keep it."""
        name = safe_filename(wanted.name, "file")
        try:
            content = await self._content(wanted)
            note = await self._scanned(content)
        except NotFetched as reason:
            media_type = wanted.media_type or "application/octet-stream"
            return Attachment(
                name=name, media_type=media_type, size=wanted.size, blob=None, note=str(reason)[:300]
            )
        media_type = sniff(content)
        blob = await self._put_blob(content, media_type)
        return Attachment(
            name=honest_name(name, media_type), media_type=media_type, size=len(content), blob=blob, note=note
        )

    async def fetch_all(self, wanted: Sequence[Wanted]) -> tuple[Attachment, ...]:
        """Side by side, a few at once, in the order of the list."""
        return tuple(await asyncio.gather(*(self._in_turn(each) for each in wanted)))

    async def close(self) -> None:
        await self._client.aclose()

    async def _in_turn(self, wanted: Wanted) -> Attachment:
        async with self._slots:
            return await self.fetch(wanted)

    async def _content(self, wanted: Wanted) -> bytes:
        if wanted.size > self._settings.file_bytes:
            raise NotFetched(f"it has {wanted.size} bytes, more than {self._settings.file_bytes}")
        try:
            async with asyncio.timeout(self._settings.seconds):
                return await self._tried(wanted)
        except TimeoutError:
            raise NotFetched(f"it could not be fetched within {self._settings.seconds:g} s") from None

    async def _tried(self, wanted: Wanted) -> bytes:
        for _ in range(TRIES - 1):
            try:
                return await self._followed(wanted)
            except NotFetched as reason:
                if not reason.again:
                    raise
        return await self._followed(wanted)

    async def _followed(self, wanted: Wanted) -> bytes:
        trusted = {origin(wanted.url), *(origin(each) for each in wanted.token_origins)}
        url = wanted.url
        for _ in range(REDIRECTS + 1):
            headers = dict(wanted.headers) if origin(url) in trusted - {""} else {}
            try:
                content, location = await self._asked(url, headers)
            except (httpx.InvalidURL, UnicodeError):  # the latter for a name that IDNA does not know
                raise NotFetched("its address is no address") from None
            except httpx.HTTPError as error:
                raise NotFetched(_why(error), again=isinstance(error, httpx.TransportError)) from None
            if location is None:
                return content
            url = _onward(url, location)
        raise NotFetched(f"it leads on more than {REDIRECTS} times")

    async def _asked(self, url: str, headers: Mapping[str, str]) -> tuple[bytes, str | None]:
        """The bytes, or where they are instead."""
        if not _is_of_the_web(url):
            raise NotFetched("its address is not one of the web")
        plain = {**headers, "accept-encoding": "identity"}  # what is packed small can be large
        async with self._client.stream("GET", url, headers=plain) as answer:
            if answer.is_redirect and "location" in answer.headers:
                return b"", answer.headers["location"]
            if not answer.is_success:
                raise NotFetched(f"its server answered {answer.status_code}", again=answer.status_code >= 500)
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NotFetched("its server sent it packed, though asked not to")
            return await self._bounded(answer), None

    async def _bounded(self, answer: httpx.Response) -> bytes:
        most = self._settings.file_bytes
        declared = answer.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise NotFetched(f"it has {declared} bytes, more than {most}")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > most:
                raise NotFetched(f"it has more than {most} bytes")
        if not content:
            raise NotFetched("it is empty")
        return bytes(content)

    async def _scanned(self, content: bytes) -> str:
        """A note for what is kept though it could not be scanned. Raises NotFetched for what is not kept."""
        if self._scanner is None:
            return ""
        scan = await self._scanner.scan(content)
        if scan.verdict is Verdict.CLEAN:
            return ""
        if scan.verdict is Verdict.INFECTED:
            raise NotFetched(f"the virus scanner found {scan.reason}")
        keeps = self._settings.scan is not None and self._settings.scan.when_silent == "keep"
        if not keeps:
            raise NotFetched(f"it could not be scanned for viruses: {scan.reason}")
        return f"not scanned for viruses: {scan.reason}"


def origin(url: str) -> str:
    """Scheme, host and port: who gets a credential."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def _is_of_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in PORTS and bool(parts.hostname) and parts.username is None and parts.port != 0
        )  # a port that is none raises
    except ValueError:
        return False


def _onward(url: str, location: str) -> str:
    try:
        onward = urljoin(url, location)
    except ValueError:
        raise NotFetched("it leads to an address that is none") from None
    if url.startswith("https:") and not onward.startswith("https:"):
        raise NotFetched("it leads from https to an address that is not")
    return onward


def _why(error: httpx.HTTPError) -> str:
    return f"its server could not be reached: {str(error) or type(error).__name__}"

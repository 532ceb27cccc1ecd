"""Files of messages: bounded, from public addresses, typed by their bytes, and no credential for anybody else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.kit.downloads import Downloads, Wanted, origin
from connectors.kit.media import MediaSettings, ScanSettings
from connectors.kit.scanning import Scan, Verdict
from schemas.ids import sha256
from schemas.interactions import BlobRef

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LOCAL = ("127.0.0.0/8",)
TOKEN = {"authorization": "Bearer xoxb-secret"}


@dataclass
class Site:
    """A server of files, and what it was asked."""

    port: int
    tokens: list[str] = field(default_factory=list)
    answers: dict[str, Callable[[Request], Response]] = field(default_factory=dict)

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{name}"

    async def serve(self, request: Request) -> Response:
        self.tokens.append(request.headers.get("authorization", ""))
        return self.answers[request.path_params["name"]](request)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    listening = socket.create_server(("127.0.0.1", 0))
    made = Site(listening.getsockname()[1])
    app = Starlette(routes=[Route("/{name}", made.serve)])
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield made
    server.should_exit = True
    await running


@dataclass
class Store:
    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, content: bytes, media_type: str) -> BlobRef:
        ref = BlobRef(sha256=sha256(content), size=len(content), media_type=media_type)
        self.kept[ref.sha256] = content
        return ref


class Scanner:
    def __init__(self, scan: Scan) -> None:
        self._scan = scan

    async def scan(self, content: bytes) -> Scan:
        return self._scan


@asynccontextmanager
async def downloading(
    store: Store | None = None, said: Scan | None = None, **settings: object
) -> AsyncIterator[Downloads]:
    chosen = MediaSettings.model_validate({"private_networks": LOCAL, "seconds": 5, **settings})
    downloads = Downloads(chosen, (store or Store()).put, Scanner(said) if said else None)
    yield downloads
    await downloads.close()


async def test_a_file_is_kept_under_an_honest_name_and_its_own_type(site: Site) -> None:
    site.answers["x"] = lambda _request: Response(PNG, media_type="text/html")
    store = Store()
    async with downloading(store) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "../../holiday.exe", "text/html", 3, TOKEN))
    assert (file.name, file.media_type, file.size) == ("holiday.exe.png", "image/png", len(PNG))
    assert file.blob is not None and store.kept[file.blob.sha256] == PNG
    assert site.tokens == ["Bearer xoxb-secret"]


async def test_private_addresses_are_refused(site: Site) -> None:
    site.answers["x"] = lambda _request: Response(PNG)
    async with downloading(private_networks=()) as downloads:
        for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254"):
            file = await downloads.fetch(Wanted(site.url("x", host), "a"))
            assert file.blob is None and file.note
    assert site.tokens == []


@pytest.mark.parametrize(
    "url", ["http://xn--/x", "http://127.0.0.1:99999/x", "http://127.0.0.1:99999999999999999999/x"]
)
async def test_an_address_that_is_none_leaves_a_note(url: str) -> None:
    async with downloading() as downloads:
        file = await downloads.fetch(Wanted(url, "a"))
    assert file.blob is None and "its address is" in file.note


async def test_a_redirect_into_a_private_network_is_refused(site: Site) -> None:
    site.answers["x"] = lambda _request: RedirectResponse("http://10.0.0.1/secret")
    async with downloading() as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a"))
    assert file.blob is None and "public internet" in file.note


async def test_a_credential_is_never_sent_to_another_host(site: Site) -> None:
    site.answers["x"] = lambda _request: RedirectResponse(site.url("y", "localhost"))
    site.answers["y"] = lambda _request: Response(PNG)
    async with downloading(private_networks=(*LOCAL, "::1")) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a", headers=TOKEN))
    assert file.blob is not None
    assert site.tokens == ["Bearer xoxb-secret", ""]


async def test_a_credential_follows_to_an_origin_that_the_channel_names(site: Site) -> None:
    site.answers["x"] = lambda _request: RedirectResponse(site.url("y", "localhost"))
    site.answers["y"] = lambda _request: Response(PNG)
    wanted = Wanted(site.url("x"), "a", headers=TOKEN, token_origins=[site.url("", "localhost")])
    async with downloading(private_networks=(*LOCAL, "::1")) as downloads:
        await downloads.fetch(wanted)
    assert site.tokens == ["Bearer xoxb-secret", "Bearer xoxb-secret"]


async def test_a_host_that_the_settings_name_is_reached_though_it_is_private(site: Site) -> None:
    site.answers["x"] = lambda _request: Response(PNG)
    async with downloading(private_networks=()) as downloads:
        trusting = downloads.trusting(site.url("api"))
        assert (await trusting.fetch(Wanted(site.url("x"), "a"))).blob is not None
        assert (await trusting.fetch(Wanted(site.url("x", "localhost"), "a"))).blob is None
        await trusting.close()


async def test_redirects_end(site: Site) -> None:
    site.answers["x"] = lambda _request: RedirectResponse(site.url("x"))
    async with downloading() as downloads:
        assert "more than 3 times" in (await downloads.fetch(Wanted(site.url("x"), "a"))).note
    assert len(site.tokens) == 4


async def test_a_file_that_does_not_say_its_length_is_cut_off(site: Site) -> None:
    async def long() -> AsyncIterator[bytes]:
        for _ in range(100):  # without a length before it
            yield bytes(1000)

    site.answers["x"] = lambda _request: StreamingResponse(long())
    async with downloading(file_bytes=5000) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a"))
        assert file.blob is None and "more than 5000 bytes" in file.note
        assert "more than 5000" in (await downloads.fetch(Wanted(site.url("x"), "a", size=6000))).note


async def test_a_server_that_is_slow_is_given_up(site: Site) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield PNG
        await asyncio.Event().wait()

    site.answers["x"] = lambda _request: StreamingResponse(slow())
    async with downloading(seconds=0.2) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a"))
    assert file.blob is None and "within 0.2 s" in file.note


async def test_what_is_packed_is_not_unpacked(site: Site) -> None:
    site.answers["x"] = lambda _request: Response(PNG, headers={"content-encoding": "gzip"})
    async with downloading() as downloads:
        assert "packed" in (await downloads.fetch(Wanted(site.url("x"), "a"))).note


async def test_a_fault_of_the_server_is_tried_once_more_and_a_refusal_is_not(site: Site) -> None:
    answers = [Response(status_code=502), Response(PNG)]
    site.answers["x"] = lambda _request: answers.pop(0)
    site.answers["y"] = lambda _request: Response(status_code=404)
    async with downloading() as downloads:
        first, second = await downloads.fetch_all([Wanted(site.url("x"), "a"), Wanted(site.url("y"), "b")])
    assert first.blob is not None
    assert second.note == "its server answered 404" and len(site.tokens) == 3


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.com/x", "http://me:pw@example.com/", "nonsense", "http://["]
)
async def test_only_addresses_of_the_web_are_fetched(url: str) -> None:
    async with downloading() as downloads:
        assert (await downloads.fetch(Wanted(url, "a"))).blob is None


async def test_an_infected_file_is_left_out_and_named(site: Site) -> None:
    site.answers["x"] = lambda _request: Response(PNG)
    store = Store()
    async with downloading(store, Scan(Verdict.INFECTED, "Eicar")) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a"))
    assert file.blob is None and file.note == "the virus scanner found Eicar" and not store.kept


@pytest.mark.parametrize(("when_silent", "is_kept"), [("refuse", False), ("keep", True)])
async def test_the_settings_say_what_becomes_of_a_file_that_nobody_scanned(
    site: Site, when_silent: str, is_kept: bool
) -> None:
    site.answers["x"] = lambda _request: Response(PNG)
    scan = ScanSettings.model_validate({"when_silent": when_silent})
    async with downloading(None, Scan(Verdict.UNSCANNED, "away"), scan=scan) as downloads:
        file = await downloads.fetch(Wanted(site.url("x"), "a"))
    assert (file.blob is not None) == is_kept and "scanned" in file.note


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Files.Example/a") == origin("https://files.example:443/b?c")
    assert origin("https://files.example") != origin("http://files.example")
    assert origin("https://files.example:99999999") == ""

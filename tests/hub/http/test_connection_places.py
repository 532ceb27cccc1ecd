"""Places for connections are few: each address has a share, and who is silent gives way to who works."""

import contextlib
import socket
from dataclasses import replace
from ipaddress import ip_network
from urllib.parse import urlsplit

import httpx

from tests.hub.http.serving import served
from tests.hub.http.sites import GET, POST, SLOW, STRICT, Site, asked, close, served_by, settled, told
from tests.support.waiting import eventually


async def test_an_address_with_its_share_loses_what_is_silent_longest(address: str, site: Site) -> None:
    held = [await asked(address) for _ in range(20)]
    for reader, _ in held:
        await served_by(reader)
    held.append(await asked(address))
    await served_by(held[-1][0])
    assert await told(held[0][0]) == b""
    assert site.connections.count == 20
    held[1][1].write(GET)
    await served_by(held[1][0])
    close(*held)
    await eventually(lambda: site.connections.count == 0)
    assert site.connections.of_one("127.0.0.1") == 0


async def test_an_address_with_its_share_at_work_gets_no_more_and_others_do(address: str, site: Site) -> None:
    held = [await asked(address, SLOW, "127.0.0.9") for _ in range(20)]
    await eventually(lambda: site.connections.of_one("127.0.0.9") == 20)
    await settled(site, held)
    reader, writer = await asked(address, GET, "127.0.0.9")
    answer = await told(reader)
    assert answer.startswith(b"HTTP/1.1 503") and b"from your address" in answer
    other = await asked(address)
    await served_by(other[0])
    site.released.set()
    for each, _ in held:
        await served_by(each)
    close(*held, other)
    writer.close()


async def test_who_is_silent_gives_way_when_all_places_are_taken(address: str, site: Site) -> None:
    busy = [await asked(address, SLOW, "127.0.0.2") for _ in range(15)]
    await settled(site, busy)
    idle = [await asked(address, GET, "127.0.0.3") for _ in range(15)]
    for reader, _ in idle:
        await served_by(reader)
    new = [await asked(address, GET, "127.0.0.4") for _ in range(3)]
    for reader, _ in new:
        await served_by(reader)
    assert [await told(reader) for reader, _ in idle[:3]] == [b""] * 3
    assert site.connections.count == 30
    assert site.refused("gave-way") == 3
    close(*busy, *idle, *new)


async def test_a_body_that_does_not_come_gives_way_to_an_address_that_holds_less(
    address: str, site: Site
) -> None:
    held = [
        await asked(address, POST + b"x", of)
        for of in ("127.0.0.2", "127.0.0.3", "127.0.0.4")
        for _ in range(10)
    ]
    await settled(site, held)
    modest = await asked(address)
    await served_by(modest[0])
    assert await told(held[0][0]) == b""
    close(*held, modest)


async def test_what_is_worked_on_is_not_cut_off_when_all_places_are_taken(address: str, site: Site) -> None:
    held = [await asked(address, SLOW, of) for of in ("127.0.0.2", "127.0.0.3") for _ in range(15)]
    await settled(site, held)
    reader, writer = await asked(address)
    answer = await told(reader)
    assert answer.startswith(b"HTTP/1.1 503") and b"retry-after" in answer
    site.released.set()
    for each, _ in held:
        await served_by(each)
    close(*held)
    writer.close()


async def test_our_proxies_have_no_share_and_never_give_way() -> None:
    site = Site(replace(STRICT, proxies=(ip_network("127.0.0.8/32"),)))
    async with served(site, connections=site.connections) as address:
        held = [await asked(address, GET, "127.0.0.8") for _ in range(29)]
        for reader, _ in held:
            await served_by(reader)
        customers = [await asked(address), await asked(address)]
        for reader, _ in customers:
            await served_by(reader)
        assert site.connections.count == 30
        assert site.refused("gave-way") == 1
        for _, writer in held:
            writer.write(GET)
        for reader, _ in held:
            await served_by(reader)
        close(*held, *customers)


async def test_thousands_of_connections_leave_others_served(address: str, site: Site) -> None:
    flood: list[socket.socket] = []
    host = urlsplit(address)
    for number in range(2000):
        each = socket.socket()
        each.setblocking(False)
        each.bind((f"127.0.1.{number % 40 + 1}", 0))
        with contextlib.suppress(BlockingIOError):
            each.connect((host.hostname, host.port))
        flood.append(each)
        if number % 200 == 0:
            async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
                assert (await client.get("/")).text == "hello"
            assert site.connections.count <= 30
    for each in flood:
        each.close()
    await eventually(lambda: site.connections.count == 0)

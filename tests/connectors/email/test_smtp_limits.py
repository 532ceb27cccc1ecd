"""What the SMTP server does with clients that are too many, too large, too slow, or hostile."""

import asyncio
import contextlib

import pytest

from connectors.email.limits import ConnectionLimits, peer_group
from connectors.email.server import SmtpServer
from schemas.interactions import InteractionReceived
from schemas.parking import Quarantined
from tests.connectors.email.house import FakeEngine, mail, smtp_server
from tests.connectors.email.raw_smtp import RawClient
from tests.support.waiting import eventually

LIMIT = 100_000


async def kept(server: SmtpServer, raw: bytes) -> str:
    async with RawClient(server.port) as client:
        return await client.deliver(raw)


async def test_a_mail_over_the_limit_is_refused_at_once_where_its_size_is_declared() -> None:
    async with smtp_server(FakeEngine(), max_message_bytes=LIMIT) as server, RawClient(server.port) as client:
        assert f"SIZE {LIMIT}" in await client.say("EHLO client.example")
        assert (await client.say(f"MAIL FROM:<a@x.example> SIZE={LIMIT + 1}")).startswith("552 ")


async def test_a_mail_over_the_limit_is_refused_after_it_and_the_connection_goes_on() -> None:
    engine = FakeEngine()
    async with smtp_server(engine, max_message_bytes=LIMIT) as server, RawClient(server.port) as client:
        assert (await client.deliver(mail("x" * 70 + "\n" + "y" * LIMIT))).startswith("552 5.3.4 ")
        assert server.budget.used == 0
        assert (await client.deliver(mail())).startswith("250 ")
    assert len(engine.steps) == 1


async def test_who_sends_without_end_is_cut_off() -> None:
    async with smtp_server(FakeEngine(), max_message_bytes=LIMIT) as server, RawClient(server.port) as client:
        await client.begin()
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                client.writer.write(b"x" * 10_000)
                await client.writer.drain()
        assert (await client.answer()) in ("", f"552 5.3.4 Message is larger than {LIMIT} bytes")
    assert server.budget.used == 0


async def test_a_line_of_any_length_is_kept_exactly() -> None:
    engine = FakeEngine()
    raw = mail("a" * 3_000_000)
    async with smtp_server(engine) as server:
        assert (await kept(server, raw)).startswith("250 ")
    assert engine.steps[0].blobs[0].content == raw


@pytest.mark.parametrize(
    "body",
    [
        ".",
        "..",
        ".\n.\n..",
        "\n.\n",
        "a\r",
        "lone \r return",
        "bare\nline ends",
        ".hidden",
        "\x00nul",
        "caf\udce9 in latin",
    ],
)
async def test_every_byte_of_a_mail_is_kept(body: str) -> None:
    engine = FakeEngine()
    raw = mail(body)
    async with smtp_server(engine) as server:
        assert (await kept(server, raw)).startswith("250 ")
    assert engine.steps[0].blobs[0].content == raw


@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
async def test_no_mail_is_smuggled_in_behind_a_false_end(ending: bytes) -> None:
    engine = FakeEngine()
    smuggled = b"MAIL FROM:<boss@x.example>\r\nRCPT TO:<support@shop.example>\r\nDATA\r\nSubject: evil\r\n"
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.begin()
        client.writer.write(mail() + b"text" + ending + smuggled)
        assert (await client.say("\r\n.")).startswith("250 ")
    (step,) = engine.steps
    assert b"Subject: evil" in step.blobs[0].content


async def test_a_mail_of_nothing_is_kept_in_quarantine() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.begin()
        answer = await client.say(".")
    (quarantined,) = engine.payloads
    assert isinstance(quarantined, Quarantined)
    assert answer == f"250 2.0.0 Kept as item {quarantined.item}"
    assert quarantined.envelope["recipients"] == "support@shop.example"


async def test_connections_over_the_limits_are_told_so_and_others_are_served() -> None:
    async with smtp_server(FakeEngine(), max_connections=4, max_connections_per_address=2) as server:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(2):
                first = await stack.enter_async_context(RawClient(server.port, "127.0.0.1"))
                assert first.greeting.startswith("220 ")
            async with RawClient(server.port, "127.0.0.1") as third:
                assert third.greeting.startswith("421 4.7.0 ")
            async with RawClient(server.port, "127.0.0.2") as other:
                assert (await other.deliver(mail())).startswith("250 ")
        await asyncio.wait_for(server._idle.wait(), 5)
        assert server.connections.total == 0
        assert not server.connections.groups


async def test_an_address_without_a_connection_takes_the_place_of_one_that_has_several() -> None:
    async with smtp_server(FakeEngine(), max_connections=4) as server, contextlib.AsyncExitStack() as stack:
        greedy = [await stack.enter_async_context(RawClient(server.port, "127.0.0.9")) for _ in range(4)]
        await greedy[0].begin()  # a mail in flight is not cut off
        async with RawClient(server.port, "127.0.0.1") as modest:
            assert (await modest.deliver(mail())).startswith("250 ")
            assert (await greedy[1].answer()).startswith("421 4.3.2 ")
            async with RawClient(server.port, "127.0.0.9") as one_more:
                assert one_more.greeting.startswith("421 4.3.2 ")
        greedy[0].writer.write(mail())
        assert (await greedy[0].say(".")).startswith("250 ")


async def test_where_each_has_one_the_longest_silent_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.email.server.SILENT_SECONDS", 0)
    async with smtp_server(FakeEngine(), max_connections=4) as server, contextlib.AsyncExitStack() as stack:
        first, second, third, fourth = [
            await stack.enter_async_context(RawClient(server.port, f"127.0.0.{number}"))
            for number in (2, 3, 4, 5)
        ]
        await first.begin()  # a mail in flight is not cut off
        assert (await second.say("NOOP")).startswith("250 ")
        async with RawClient(server.port, "127.0.0.1") as newcomer:
            assert (await newcomer.deliver(mail())).startswith("250 ")
            assert (await third.answer()).startswith("421 4.3.2 ")
        assert (await second.say("NOOP")).startswith("250 ")
        assert (await fourth.say("NOOP")).startswith("250 ")


async def test_who_has_much_to_say_is_not_cut_off_for_those_who_say_nothing() -> None:
    async with smtp_server(FakeEngine(), max_connections=10) as server, contextlib.AsyncExitStack() as stack:
        relay = [await stack.enter_async_context(RawClient(server.port, "127.0.0.1")) for _ in range(6)]
        for each in relay:
            assert (await each.say("EHLO relay.example")).startswith("250")
        for number in range(30):
            each = RawClient(server.port, f"127.0.0.{number % 2 + 2}")
            await stack.enter_async_context(each)
        one_more = await stack.enter_async_context(RawClient(server.port, "127.0.0.1"))
        for each in [*relay, one_more]:
            assert (await each.deliver(mail())).startswith("250 ")


async def test_a_flood_of_connections_leaves_others_served() -> None:
    async with smtp_server(FakeEngine(), max_connections_per_address=20) as server:
        flood = [
            await asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.0.9", 0))
            for _ in range(1500)
        ]
        async with RawClient(server.port, "127.0.0.1") as client:
            assert (await client.deliver(mail())).startswith("250 ")
        assert server.connections.refused >= 1400
        for _, writer in flood:
            writer.close()


async def test_bytes_in_flight_are_bounded_over_all_connections() -> None:
    megabyte = 1024 * 1024
    settings = {"max_message_bytes": megabyte, "max_bytes_in_flight": megabyte}
    async with smtp_server(FakeEngine(), **settings) as server, RawClient(server.port) as holder:
        await holder.begin()
        holder.writer.write(mail() + b"x" * 980_000)  # up to 64 KiB of it stay in the reader
        await holder.writer.drain()
        async with RawClient(server.port) as other:
            await eventually(lambda: server.budget.used >= 900_000)
            assert (await other.deliver(mail("y" * 500_000))).startswith("452 4.3.1 ")
            await other.say("RSET")
            assert (await other.say("MAIL FROM:<a@x.example> SIZE=500000")).startswith("452 4.3.1 ")
        assert server.budget.highest <= megabyte
        assert (await holder.say("\r\n.")).startswith("250 ")
    assert server.budget.used == 0


async def test_one_address_holds_no_more_than_its_share_of_the_bytes() -> None:
    megabyte = 1024 * 1024
    settings = {"max_message_bytes": megabyte, "max_bytes_in_flight": 2 * megabyte}
    async with smtp_server(FakeEngine(), **settings) as server, RawClient(server.port, "127.0.0.9") as greedy:
        await greedy.begin()
        greedy.writer.write(mail() + b"x" * 900_000)
        await greedy.writer.drain()
        async with (
            RawClient(server.port, "127.0.0.9") as second,
            RawClient(server.port, "127.0.0.1") as other,
        ):
            await eventually(lambda: server.budget.used >= 900_000)
            assert (await second.deliver(mail("y" * 500_000))).startswith("452 4.3.1 ")
            assert (await other.deliver(mail("y" * 500_000))).startswith("250 ")


async def test_a_client_that_says_nothing_is_cut_off() -> None:
    async with (
        smtp_server(FakeEngine(), idle_timeout_seconds=0.1) as server,
        RawClient(server.port) as client,
    ):
        assert await client.answer() == ""


async def test_a_client_that_stops_within_its_mail_is_cut_off() -> None:
    async with (
        smtp_server(FakeEngine(), data_timeout_seconds=0.1) as server,
        RawClient(server.port) as client,
    ):
        await client.begin()
        client.writer.write(b"Subject: never")
        assert await client.answer() == ""
    assert server.budget.used == 0


async def test_a_client_that_hangs_up_after_its_mail_does_not_stop_it_from_being_kept() -> None:
    class SlowEngine(FakeEngine):
        begun = asyncio.Event()
        go_on = asyncio.Event()

        async def commit(self, step: object) -> None:
            self.begun.set()
            await self.go_on.wait()
            await super().commit(step)  # type: ignore[arg-type]

    engine = SlowEngine()
    async with smtp_server(engine) as server:
        async with RawClient(server.port) as client:
            await client.begin()
            client.writer.write(mail() + b".\r\n")
            await engine.begun.wait()
        await asyncio.wait_for(server._idle.wait(), 5)
        engine.go_on.set()
    assert len(engine.steps) == 1


async def test_stopping_answers_the_mail_in_flight_and_sends_idle_clients_away() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as idle, RawClient(server.port) as busy:
        await busy.begin()
        busy.writer.write(mail())
        await busy.writer.drain()
        await idle.say("EHLO client.example")
        stopping = asyncio.create_task(server.stop(5))
        assert (await idle.answer()).startswith("421 4.3.2 ")
        assert (await busy.say(".")).startswith("250 ")
        assert (await busy.answer()).startswith("421 4.3.2 ")
        await stopping
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port or 1)
    assert len(engine.steps) == 1


@pytest.mark.parametrize(
    "command",
    [
        b"\xff\xfe\xfd",
        b"MAIL",
        b"MAIL FROM:",
        b"MAIL FROM:<",
        b"MAIL FROM:<a@x.example",
        b"MAIL FROM:<a\x00@x.example>",
        b"MAIL FROM:<" + b"a" * 600 + b"@x.example>",
        b"MAIL FROM:<a@x.example> SIZE=abc",
        b"MAIL FROM:<a@x.example> FOO=1",
        b"AUTH PLAIN AGEAYg==",
        b"X" * 5_000,
        b"X" * 200_000,
        b"",
        b"VRFY",
        b"BDAT 5 LAST",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_a_wrong_command_is_the_clients_fault_and_harms_nobody(command: bytes) -> None:
    async with smtp_server(FakeEngine()) as server, RawClient(server.port) as client:
        await client.say("EHLO client.example")
        answer = await client.say(command)
        assert answer[:1] == "5", answer
        assert "Error: (" not in answer
        assert (await client.deliver(mail())).startswith("250 ")


@pytest.mark.parametrize(
    ("recipient", "code"),
    [
        ("<SUPPORT@SHOP.EXAMPLE>", "250"),
        ("<support+tag@shop.example>", "250"),
        ("<@relay.example:support@shop.example>", "250"),
        ("support@shop.example", "250"),
        ("<support@elsewhere.example>", "550"),
        ("<no-such@shop.example>", "550"),
        ("<support>", "553"),
        ("<>", "553"),
        ("<sup port@shop.example>", "553"),
        ("<support@shop.example> NOTIFY=NEVER", "555"),
    ],
)
async def test_recipients_are_ours_in_any_spelling_or_refused(recipient: str, code: str) -> None:
    async with smtp_server(FakeEngine()) as server, RawClient(server.port) as client:
        await client.say("EHLO client.example")
        await client.say("MAIL FROM:<>")
        assert (await client.say(f"RCPT TO:{recipient}"))[:3] == code


async def test_one_mail_to_several_of_us_is_one_item() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.deliver(mail(), "support@shop.example", "help@shop.example", "sales@garden.example")
    assert len(engine.steps) == 1


async def test_there_is_an_end_to_recipients() -> None:
    async with smtp_server(FakeEngine(), max_recipients=2) as server, RawClient(server.port) as client:
        assert (await client.begin(*["support@shop.example"] * 3)).startswith("452 4.5.3 ")


async def test_addresses_and_headers_in_any_script_are_taken() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.say("EHLO client.example")
        assert (await client.say("MAIL FROM:<почта@пример.example> SMTPUTF8")).startswith("250 ")
        await client.say("RCPT TO:<support@shop.example>")
        await client.say("DATA")
        client.writer.write(mail(From="Почта <почта@пример.example>"))
        assert (await client.say(".")).startswith("250 ")
    (event,) = engine.payloads
    assert isinstance(event, InteractionReceived)
    assert event.sender is not None
    assert event.sender.value == "почта@xn--e1afmkfd.example"


@pytest.mark.parametrize(
    ("peer", "group"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1, 0, 0), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        ("/run/socket", "/run/socket"),
    ],
)
def test_an_address_counts_for_its_network(peer: object, group: str) -> None:
    assert peer_group(peer) == group


def test_counts_of_addresses_that_left_are_forgotten() -> None:
    limits = ConnectionLimits(10, 1)
    for number in range(1000):
        limits.enter(str(number))
        if number % 2:
            limits.spoke(str(number))
        limits.leave(str(number), has_spoken=bool(number % 2))
    assert not limits.groups
    assert not limits.silent
    assert limits.total == 0

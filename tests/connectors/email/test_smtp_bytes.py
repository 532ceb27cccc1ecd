"""The end of a mail is found wherever it falls, and nothing of a mail is lost or added."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.email.smtp import READ_LIMIT
from tests.connectors.email.house import FakeEngine, mail, smtp_server
from tests.connectors.email.raw_smtp import RawClient

PIECES = st.sampled_from(
    [b"\r\n", b".", b"..", b"\n", b"\r", b"a", b"\x00", b"\xff", b"\r\n.", b"\n.\n", b"x" * 70]
)


async def test_the_end_is_found_at_every_place_around_a_full_buffer() -> None:
    engine = FakeEngine()
    head = mail("")
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        for missing in range(-3, 12):
            size = READ_LIMIT - len(head) - missing
            for raw in (head + b"a" * size + b"\r\n", head + b"a" * size + b"\r\n.\r\n..\r\n.b\r\n"):
                assert (await client.deliver(raw)).startswith("250 ")
                assert engine.steps[-1].blobs[0].content == raw


@given(body=st.lists(PIECES, max_size=40).map(b"".join), cuts=st.lists(st.integers(0, 500), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_in_any_packets_are_kept_exactly(body: bytes, cuts: list[int]) -> None:
    raw = b"Message-ID: <any@x.example>\r\n\r\n" + body + b"\r\n"
    stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"

    async def deliver() -> tuple[str, str]:
        async with smtp_server(engine) as server, RawClient(server.port) as client:
            await client.begin()
            for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stuffed)], strict=True):
                client.writer.write(stuffed[start:end])
                await client.writer.drain()
                await asyncio.sleep(0)
            return await client.answer(), await client.say("NOOP")

    engine = FakeEngine()
    kept, after = asyncio.run(deliver())
    assert kept.startswith("250 2.0.0 ")
    assert after.startswith("250 ")
    assert engine.steps[0].blobs[0].content == raw


async def test_commands_sent_together_with_a_mail_are_answered_in_order() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.begin()
        again = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<support@shop.example>\r\nDATA\r\n"
        client.writer.write(mail() + b".\r\n" + again)
        assert [(await client.answer())[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        client.writer.write(mail(Message_ID="<two@x>") + b".\r\nQUIT\r\n")
        assert [(await client.answer())[:3] for _ in range(2)] == ["250", "221"]
    assert len(engine.steps) == 2

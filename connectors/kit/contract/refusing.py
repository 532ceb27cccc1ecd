"""What should not come in, and what should not come out."""

import logging

import pytest

from connectors.kit.contract.asking import WHOLE_ORIGINAL, answer, send, wanted
from connectors.kit.rigs import Given, House, Rig, Send, Told
from schemas.codec import encode

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "one byte": b"{",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "no text": bytes(range(256)) * 16,
    "huge number": b'{"type": 1e999, "id": 9' + b"9" * 5000 + b"}",
    "half a character": b'{"text": "\\ud800"}',
    "null": b"null",
    "list": b"[null, 1, {}]",
    "wrong types": b'{"event": [], "event_id": {}, "type": null, "text": 7, "id": []}',
}


class Refuses:
    """What cannot be read is kept, what nobody proves is refused, and no secret shows up."""

    async def test_what_is_malformed_is_kept_and_the_next_message_comes_through(
        self, rig: Rig, house: House
    ) -> None:
        given = wanted(rig.malformed(), "whatever comes can be read")
        assert await rig.give(given) is Told.DONE
        (kept,) = await house.quarantined()
        assert kept.reason
        assert given.body in await house.engine.blob(kept.original), WHOLE_ORIGINAL
        assert await rig.give(rig.message("one")) is Told.DONE
        assert len(await house.received()) == 1

    async def test_what_nobody_proves_is_refused_and_leaves_nothing(self, rig: Rig, house: House) -> None:
        given = wanted(rig.forged(rig.message("one")), "nothing proves who sends")
        assert await rig.give(given) is Told.NO
        assert not await house.events()

    async def test_what_is_not_proven_is_not_even_parsed(self, rig: Rig, house: House) -> None:
        """A body that nobody could read is refused for its signature and not kept for its shape."""
        given = wanted(rig.malformed(), "whatever comes can be read")
        forged = wanted(rig.forged(given), "nothing proves who sends")
        assert await rig.give(forged) is Told.NO
        assert not await house.events()

    async def test_one_changed_byte_is_refused(self, rig: Rig, house: House) -> None:
        given = rig.message("one", "Where is my order?")
        wanted(rig.forged(given), "nothing proves who sends")
        changed = Given(given.name, given.body.replace(b"order", b"Order"), given.headers, given.extra)
        assert changed.body != given.body
        assert await rig.give(changed) is Told.NO
        assert not await house.events()

    async def test_two_secrets_are_valid_at_once(self, rig: Rig, house: House) -> None:
        given = rig.message("one")
        second = wanted(rig.by_second_secret(rig.message("two")), "there are no secrets")
        assert await rig.give(given) is Told.DONE
        assert await rig.give(second) is Told.DONE
        assert len(await house.received()) == 2

    @pytest.mark.parametrize("what", HOSTILE)
    async def test_no_payload_stops_the_channel(self, rig: Rig, house: House, what: str) -> None:
        whole = rig.message("hostile")
        given = Given("hostile", HOSTILE[what], whole.headers, whole.extra)
        await rig.give(given)
        assert await rig.give(rig.message("after")) is Told.DONE
        assert await house.received()

    async def test_our_own_echo_is_no_message_of_a_customer(self, rig: Rig, house: House) -> None:
        assert await rig.give(rig.message("one")) is Told.DONE
        message = answer(rig, (await house.received())[0])
        await send(rig, message, Send.TAKES)
        echo = wanted(await rig.echo(message), "what we send does not come back")
        assert await rig.give(echo) is Told.DONE
        assert len(await house.received()) == 1

    async def test_no_secret_shows_up(self, rig: Rig, house: House, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            given = rig.message("one")
            for each in (given, rig.forged(given), rig.malformed()):
                if each is not None:
                    await rig.give(each)
            health = [connector.health().detail for connector in rig.opened.connectors]
        said = [caplog.text, *health, *(encode(each.data).decode() for each in await house.events())]
        for secret in wanted(rig.secrets or None, "there are no secrets"):
            assert not any(secret in each for each in said)

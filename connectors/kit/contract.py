"""The contract of every connector, as tests. Subclass `ConnectorContract` in a test module and give it a rig and an engine:

class TestContract(ConnectorContract):
    rig_type = MyRig

    def open_engine(self, folder, clock):
        return sqlite(folder, clock)

Needs pytest and pytest-asyncio with `asyncio_mode = "auto"`. What a channel cannot do is skipped as `not applicable: …`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar, NoReturn, TypeVar, cast

import pytest

from connectors.kit.rigs import Clock, Given, House, Rig, Send, Told, cancelled
from schemas.codec import encode
from schemas.collections import QUARANTINE
from schemas.crash import CRASH_POINTS, Crashed, arm, set_hook
from schemas.documents import QuarantineItem
from schemas.errors import Invalid
from schemas.ids import derive
from schemas.interactions import (
    InteractionChange,
    InteractionDeleted,
    InteractionEdited,
    InteractionReaction,
    InteractionReceived,
)
from schemas.outbound import ChangeKind, OutboundMessage, SentChange
from schemas.ports import Deliverer, Engine, Receipt, ReceiptStatus, Reconciler
from schemas.steps import Query

NOT_OF_INTAKE = ("engine.", "backup.", "restore.", "runner.", "outbound.", "spool.", "worker.")
IN_POINTS = tuple(name for name in CRASH_POINTS if not name.startswith(NOT_OF_INTAKE))
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
WHOLE_ORIGINAL = (
    "what is kept is not what came: give each item the whole request as its body, not its part of it"
)
T = TypeVar("T")


def not_applicable(why: str) -> NoReturn:
    pytest.skip(f"not applicable: {why}")


def wanted(given: T | None, why: str) -> T:
    return given if given is not None else not_applicable(why)


class ConnectorContract:
    """What every connector keeps, whatever its channel is."""

    rig_type: ClassVar[type[Rig]]

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        """An empty engine."""
        raise NotImplementedError

    @pytest.fixture
    async def house(self, tmp_path: Path) -> AsyncIterator[House]:
        clock = Clock()
        async with self.open_engine(tmp_path / "engine", clock) as engine:
            house = House(engine, clock)
            yield house
            await house.close()

    @pytest.fixture
    async def rig(self, house: House) -> AsyncIterator[Rig]:
        rig = self.rig_type()
        await rig.begin()
        try:
            await rig.open(house)
            yield rig
            await rig.close()
        finally:
            await rig.end()

    @pytest.fixture(autouse=True)
    def _no_hook_is_left(self) -> Iterator[None]:
        yield
        set_hook(None)

    # -- a message comes in -----------------------------------------------------------------------------------------

    async def test_a_message_becomes_one_event_that_keeps_its_original(self, rig: Rig, house: House) -> None:
        given = rig.message("one", "Where is my order?")
        assert await rig.give(given) is Told.DONE
        (event,) = await house.received()
        assert "Where is my order?" in event.content.text
        assert (event.channel, event.account) == (rig.channel.name, rig.account)
        assert event.sender is not None and event.sender.value
        assert event.external_id and event.conversation
        original = await house.engine.blob(event.original)
        assert given.body in original or given.body == b"", WHOLE_ORIGINAL

    async def test_the_source_is_told_only_when_the_log_has_it(self, rig: Rig, house: House) -> None:
        house.watched.gate.clear()
        house.watched.reached.clear()
        giving = asyncio.create_task(rig.give(rig.message("one")))
        try:
            await asyncio.wait_for(house.watched.reached.wait(), 10)
            await asyncio.sleep(0)
            assert not giving.done() and not await house.events()
            house.watched.gate.set()
            assert await asyncio.wait_for(giving, 10) is Told.DONE
        finally:
            house.watched.gate.set()
            await cancelled(giving)
        assert len(await house.received()) == 1

    async def test_while_nothing_can_be_kept_the_source_keeps_it(self, rig: Rig, house: House) -> None:
        given = rig.message("one")
        house.watched.is_down = True
        assert await rig.give(given) is Told.AGAIN
        assert not await house.events()
        house.watched.is_down = False
        assert await rig.give(given) is Told.DONE
        assert len(await house.received()) == 1

    async def test_a_redelivery_is_the_same_event(self, rig: Rig, house: House) -> None:
        given = rig.message("one")
        assert await rig.give(given) is Told.DONE
        house.clock.advance(60)
        assert await rig.give(given) is Told.DONE
        assert len(await house.received()) == 1

    async def test_two_messages_of_one_conversation_have_one_key_in_either_order(
        self, rig: Rig, house: House
    ) -> None:
        first, second = rig.message("one", "first"), rig.message("two", "second", thread="one")
        for each in (second, first):
            assert await rig.give(each) is Told.DONE
        later, earlier = await house.received()
        if later.conversation != earlier.conversation:
            assert not rig.capabilities.reply or rig.channel.capabilities.answered_by, (
                "one conversation, two keys"
            )
            not_applicable("each message is a conversation of its own")
        assert later.external_id != earlier.external_id

    async def test_every_item_has_all_its_parts(self, rig: Rig, house: House) -> None:
        for name in ("one", "two"):
            await rig.give(rig.message(name, f"text {name}"))
        parts: dict[object, set[int]] = {}
        counts: dict[object, int] = {}
        for each in await house.interactions():
            parts.setdefault(each.part.item, set()).add(each.part.index)
            counts[each.part.item] = each.part.count
        assert parts and all(found == set(range(counts[item])) for item, found in parts.items())

    # -- what happens to it later -----------------------------------------------------------------------------------

    async def _changed(
        self,
        rig: Rig,
        house: House,
        given: Given,
        change: Given,
        kind: type[InteractionChange],
        first: bool = False,
    ) -> InteractionChange:
        """The event of the change, given after its message or before it. It points at the message, by the same key."""
        for each in (change, given) if first else (given, change):
            assert await rig.give(each) is Told.DONE
        (message,) = await house.received()
        found = [each for each in await house.interactions() if isinstance(each, kind)]
        assert len(found) == 1 and message.may_change
        assert (found[0].target, found[0].conversation) == (message.external_id, message.conversation)
        return found[0]

    @pytest.mark.parametrize("first", [False, True], ids=["after", "before"])
    @pytest.mark.parametrize("by", ["author", "other"])
    async def test_an_edit_tells_which_message_reads_how_now(
        self, rig: Rig, house: House, by: str, first: bool
    ) -> None:
        given = rig.message("one", "Where is it?")
        change = wanted(rig.edited(given, "Where is order 7?", by), f"messages are not edited by their {by}")
        edited = await self._changed(rig, house, given, change, InteractionEdited, first)
        assert isinstance(edited, InteractionEdited) and edited.content.text == "Where is order 7?"

    @pytest.mark.parametrize("first", [False, True], ids=["after", "before"])
    @pytest.mark.parametrize("by", ["author", "other"])
    async def test_a_deletion_tells_which_message_is_gone(
        self, rig: Rig, house: House, by: str, first: bool
    ) -> None:
        given = rig.message("one")
        change = wanted(rig.deleted(given, by), f"messages are not deleted by their {by}")
        await self._changed(rig, house, given, change, InteractionDeleted, first)

    @pytest.mark.parametrize("first", [False, True], ids=["after", "before"])
    async def test_a_reaction_points_at_its_message(self, rig: Rig, house: House, first: bool) -> None:
        given = rig.message("one")
        change = wanted(rig.reaction(given), "there are no reactions")
        reacted = await self._changed(rig, house, given, change, InteractionReaction, first)
        assert isinstance(reacted, InteractionReaction) and reacted.reaction

    # -- what should not come ---------------------------------------------------------------------------------------

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
        message = self._answer(rig, (await house.received())[0])
        await self._send(rig, message, Send.TAKES)
        echo = wanted(await rig.echo(message), "what we send does not come back")
        assert await rig.give(echo) is Told.DONE
        assert len(await house.received()) == 1

    # -- ends and outages -------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("point", IN_POINTS)
    async def test_a_process_that_ends_between_two_steps_loses_and_doubles_nothing(
        self, rig: Rig, house: House, point: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        if point not in rig.crash_points:
            not_applicable(f"{point} is on no way of this channel")
        given = rig.message("one")
        arm(point)
        with caplog.at_level(logging.CRITICAL):
            try:
                told = await rig.give(given)
            except Crashed:
                told = Told.AGAIN
        set_hook(None)
        assert told is Told.AGAIN, f"{point} was not passed, or the source was told although we ended"
        await rig.close()
        await rig.open(house)
        assert await rig.give(given) is Told.DONE
        assert len(await house.received()) == 1

    async def test_what_comes_while_we_are_away_is_not_missed(self, rig: Rig, house: House) -> None:
        assert await rig.give(rig.message("before")) is Told.DONE
        await rig.close()
        away = [rig.message(f"away {number}", f"text {number}") for number in range(5)]
        for each in away:
            await rig.leave(each)
        await rig.open(house)
        await rig.come_back()
        texts = [each.content.text for each in await house.received()]
        assert all(sum(f"text {number}" in text for text in texts) == 1 for number in range(5))
        assert len(texts) == 6

    async def test_a_connector_that_was_paused_goes_on(self, rig: Rig, house: House) -> None:
        assert await rig.give(rig.message("one")) is Told.DONE
        for connector in rig.opened.connectors:
            await connector.stop(1)
        for connector in rig.opened.connectors:
            await connector.start()
        assert await rig.give(rig.message("two")) is Told.DONE
        assert len(await house.received()) == 2

    async def test_what_was_kept_reads_the_same_again(self, rig: Rig, house: House) -> None:
        given = wanted(rig.malformed(), "whatever comes can be read")
        reparse = wanted(rig.opened.reparse, "originals cannot be read again")
        assert await rig.give(given) is Told.DONE
        (kept,) = await house.quarantined()
        item = (await house.engine.find(Query(QUARANTINE))).items[0]
        assert isinstance(item, QuarantineItem)
        try:
            again = await reparse(await house.engine.blob(kept.original), item)
        except Invalid:
            return
        assert again.item == kept.item and again.quarantined is not None

    # -- secrets ----------------------------------------------------------------------------------------------------

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

    # -- what we send -----------------------------------------------------------------------------------------------

    def _answer(self, rig: Rig, received: InteractionReceived, name: str = "answer") -> OutboundMessage:
        if not rig.capabilities.reply:
            not_applicable("answers leave by another channel")
        return rig.outbound(received, "It is on its way.", name)

    async def _send(self, rig: Rig, message: OutboundMessage, what: Send) -> Receipt:
        deliverer: Deliverer = wanted(rig.opened.deliverer, "nothing is sent")
        if not await rig.prepare(what):
            not_applicable(f"the other side never says that it {what}")
        return await asyncio.wait_for(deliverer.deliver(message), 30)

    async def _sent(self, rig: Rig, house: House, what: Send) -> Receipt:
        assert await rig.give(rig.message("one")) is Told.DONE
        return await self._send(rig, self._answer(rig, (await house.received())[0]), what)

    async def test_an_answer_that_is_taken_is_sent_once(self, rig: Rig, house: House) -> None:
        receipt = await self._sent(rig, house, Send.TAKES)
        assert receipt.status is ReceiptStatus.SENT and receipt.external_id
        assert [("It is on its way." in each) for each in await rig.arrived()] == [True]

    async def test_an_answer_that_is_refused_failed_with_the_reason(self, rig: Rig, house: House) -> None:
        receipt = await self._sent(rig, house, Send.REFUSES)
        assert receipt.status is ReceiptStatus.FAILED and receipt.reason and not receipt.stop_account
        assert await rig.arrived() == []

    async def test_too_many_answers_wait_as_long_as_the_other_side_asks(self, rig: Rig, house: House) -> None:
        receipt = await self._sent(rig, house, Send.LIMITS)
        assert receipt.status is ReceiptStatus.RETRY and receipt.retry_after_seconds == 7
        assert await rig.arrived() == []

    async def test_an_answer_that_never_left_may_be_sent_again(self, rig: Rig, house: House) -> None:
        receipt = await self._sent(rig, house, Send.DOWN)
        assert receipt.status is ReceiptStatus.RETRY and receipt.reason

    @pytest.mark.parametrize("what", [Send.LOSES, Send.BREAKS], ids=["lost", "broken"])
    async def test_an_answer_that_may_have_arrived_is_unknown_and_not_sent_again(
        self, rig: Rig, house: House, what: Send
    ) -> None:
        receipt = await self._sent(rig, house, what)
        assert receipt.status is ReceiptStatus.UNKNOWN and receipt.reason
        assert len(await rig.arrived()) == 1

    async def test_an_unknown_answer_is_settled_by_the_other_sides_word(self, rig: Rig, house: House) -> None:
        deliverer = rig.opened.deliverer
        if not hasattr(deliverer, "reconcile"):
            not_applicable("the channel cannot be asked what became of a message")
        assert await rig.give(rig.message("one")) is Told.DONE
        message = self._answer(rig, (await house.received())[0])
        assert (await self._send(rig, message, Send.LOSES)).status is ReceiptStatus.UNKNOWN
        await rig.prepare(Send.TAKES)
        receipt = await cast(Reconciler, deliverer).reconcile(message, house.clock.now())
        assert receipt is not None and receipt.status is ReceiptStatus.SENT
        assert len(await rig.arrived()) == 1

    async def test_credentials_that_are_refused_stop_the_account(self, rig: Rig, house: House) -> None:
        receipt = await self._sent(rig, house, Send.REJECTS_US)
        assert receipt.stop_account and receipt.status is ReceiptStatus.RETRY
        assert await rig.arrived() == []

    # -- what was sent is changed -----------------------------------------------------------------------------------

    async def _changed_twice(self, rig: Rig, house: House, kind: ChangeKind) -> None:
        """Asked for twice, as after a process that ended in between."""
        assert await rig.give(rig.message("one")) is Told.DONE
        message = self._answer(rig, (await house.received())[0])
        receipt = await self._send(rig, message, Send.TAKES)
        asked = SentChange(
            kind=kind, message=message.message, external_id=receipt.external_id, parts=receipt.parts
        )
        update = {"message": derive("contract", kind), "text": "It arrives today.", "change": asked}
        for _ in range(2):
            told = await self._send(rig, message.model_copy(update=update), Send.TAKES)
            assert told.status is ReceiptStatus.SENT

    async def test_an_answer_that_is_edited_twice_the_same_reads_so(self, rig: Rig, house: House) -> None:
        if not rig.capabilities.edit:
            not_applicable("what was sent cannot be changed")
        await self._changed_twice(rig, house, ChangeKind.EDIT)
        assert [("It arrives today." in each) for each in await rig.arrived()] == [True]

    async def test_an_answer_that_is_taken_back_twice_is_gone(self, rig: Rig, house: House) -> None:
        if not rig.capabilities.delete:
            not_applicable("what was sent cannot be taken back")
        await self._changed_twice(rig, house, ChangeKind.DELETE)
        assert await rig.arrived() == []

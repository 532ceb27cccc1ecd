"""A message comes in, and what happens to it later."""

import asyncio

import pytest

from connectors.kit.contract.asking import WHOLE_ORIGINAL, not_applicable, wanted
from connectors.kit.rigs import Given, House, Rig, Told, cancelled
from schemas.interactions import (
    InteractionChange,
    InteractionDeleted,
    InteractionEdited,
    InteractionReaction,
)


class ComesIn:
    """Each is one event, durable before its source is told."""

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

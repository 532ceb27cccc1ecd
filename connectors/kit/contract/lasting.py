"""Processes that end, pauses and absences, and originals that are read again."""

import logging

import pytest

from connectors.kit.contract.asking import not_applicable, wanted
from connectors.kit.rigs import House, Rig, Told
from schemas.collections import QUARANTINE
from schemas.crash import CRASH_POINTS, Crashed, arm, set_hook
from schemas.errors import Invalid
from schemas.letters import QuarantineItem
from schemas.steps import Query

NOT_OF_INTAKE = ("engine.", "backup.", "restore.", "runner.", "outbound.", "spool.", "worker.")
IN_POINTS = tuple(name for name in CRASH_POINTS if not name.startswith(NOT_OF_INTAKE))


class Lasts:
    """Nothing is lost or doubled by an end."""

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

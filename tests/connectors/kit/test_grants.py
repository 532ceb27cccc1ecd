"""Tokens that a vendor granted: sealed where they are kept, renewed by one process at a time, forgotten when they end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kit import grants as kit_grants
from connectors.kit.grants import RENEWING_FOR, Grants
from hub.wiring import SystemClock
from schemas.errors import Invalid
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.connectors.slack.support import Clock

SECRET = b"a secret of the tests, 32 bytes."
TOKENS = {"token": "xoxe.xoxb-1", "refresh": "xoxe-1-abc"}


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path, clock=SystemClock())
    yield made
    await made.close()


def grants(engine: SqliteEngine, secret: bytes = SECRET) -> tuple[Grants, Clock]:
    clock = Clock()
    return Grants(engine, clock, secret), clock


def stored(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir() if each.is_file())


async def test_tokens_come_back_as_they_were_and_stand_nowhere_in_the_clear(
    engine: SqliteEngine, tmp_path: Path
) -> None:
    ours, _ = grants(engine)
    kept = await ours.keep("slack", "acme", "T1", "Acme", TOKENS, None)
    (found,) = await ours.all("slack", "acme")
    assert ours.tokens(found) == TOKENS and found.title == "Acme"
    assert "xox" not in kept.model_dump_json()
    assert b"xoxe" not in stored(tmp_path)


async def test_another_secret_opens_nothing_and_one_grant_does_not_stand_in_anothers_place(
    engine: SqliteEngine,
) -> None:
    ours, _ = grants(engine)
    first = await ours.keep("slack", "acme", "T1", "Acme", TOKENS, None)
    second = await ours.keep("slack", "acme", "T2", "Beta", TOKENS, None)
    with pytest.raises(Invalid):
        grants(engine, b"another secret of tests 32 bytes")[0].tokens(first)
    with pytest.raises(Invalid):
        ours.tokens(second.model_copy(update={"sealed": first.sealed}))


async def test_of_two_processes_one_renews_and_who_died_at_it_holds_nobody_up_for_long(
    engine: SqliteEngine,
) -> None:
    one, _ = grants(engine)
    other, others_clock = grants(engine)
    grant = await one.keep("slack", "acme", "T1", "Acme", TOKENS, None)
    (seen,) = await other.all("slack", "acme")
    assert await one.begin_renewal(grant) is not None
    assert await other.begin_renewal(seen) is None
    (seen,) = await other.all("slack", "acme")
    assert await other.begin_renewal(seen) is None
    others_clock.ahead = RENEWING_FOR + timedelta(seconds=1)
    taken = await other.begin_renewal(seen)
    assert taken is not None
    renewed = await other.renewed(taken, {"token": "2", "refresh": "b"}, others_clock.now())
    assert renewed is not None and other.tokens(renewed)["token"] == "2" and renewed.renewing_until is None


async def test_what_was_granted_anew_meanwhile_counts_and_not_what_was_renewed(engine: SqliteEngine) -> None:
    ours, _ = grants(engine)
    taken = await ours.begin_renewal(await ours.keep("slack", "acme", "T1", "Acme", TOKENS, None))
    assert taken is not None
    await ours.keep("slack", "acme", "T1", "Acme", {"token": "3"}, None)
    assert await ours.renewed(taken, {"token": "2"}, None) is None
    (found,) = await ours.all("slack", "acme")
    assert ours.tokens(found) == {"token": "3"}


async def test_what_ended_is_forgotten_and_says_why(engine: SqliteEngine) -> None:
    ours, clock = grants(engine)
    before = await ours.keep("slack", "acme", "T1", "Acme", TOKENS, None)
    clock.ahead = timedelta(seconds=1)
    anew = await ours.keep("slack", "acme", "T1", "Acme", TOKENS, None)
    await ours.end(before, "it was removed before it was granted anew")
    assert (await ours.all("slack", "acme"))[0].ended_at is None
    await ours.end(anew, "the app was removed")
    (found,) = await ours.all("slack", "acme")
    assert (found.sealed, found.reason) == ("", "the app was removed") and found.ended_at is not None
    assert await ours.begin_renewal(found) is None


async def test_all_are_found_however_many_there_are(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_grants, "PAGE", 2)
    ours, _ = grants(engine)
    for number in range(5):
        await ours.keep("slack", "acme", f"T{number}", "Acme", TOKENS, None)
    assert {each.name for each in await ours.all("slack", "acme")} == {f"T{number}" for number in range(5)}

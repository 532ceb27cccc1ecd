"""The installation's secret: made once, the same for all processes, and never another."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.secrets import FILE, _write, installation_secret, secret_of
from schemas.errors import Outage, Refused
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.support.clock import StandingClock


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    made = await open_engine(tmp_path / "engine", clock=StandingClock())
    yield made
    await made.close()


async def test_the_first_process_makes_the_secret_and_the_next_finds_it(
    engine: SqliteEngine, tmp_path: Path
) -> None:
    secret = await secret_of(engine, StandingClock(), tmp_path / "one")
    assert await secret_of(engine, StandingClock(), tmp_path / "one") == secret
    assert (tmp_path / "one" / FILE).stat().st_mode & 0o077 == 0


async def test_a_process_elsewhere_is_told_to_fetch_the_secret_and_makes_none(
    engine: SqliteEngine, tmp_path: Path
) -> None:
    await secret_of(engine, StandingClock(), tmp_path / "one")
    with pytest.raises(Outage, match="copy it from another process"):
        await secret_of(engine, StandingClock(), tmp_path / "two")
    assert not (tmp_path / "two" / FILE).exists()


async def test_a_process_with_another_secret_does_not_start(engine: SqliteEngine, tmp_path: Path) -> None:
    await secret_of(engine, StandingClock(), tmp_path / "one")
    other = tmp_path / "other.key"
    other.write_bytes(b"x" * 32)
    with pytest.raises(Refused, match="not the secret with which this installation was made"):
        await secret_of(engine, StandingClock(), tmp_path / "two", other)


async def test_the_settings_can_name_the_file(engine: SqliteEngine, tmp_path: Path) -> None:
    mounted = tmp_path / "mounted.key"
    with pytest.raises(Outage, match=r"mounted\.key"):
        await secret_of(engine, StandingClock(), tmp_path / "one", mounted)
    mounted.write_bytes(b"s" * 32)
    assert await secret_of(engine, StandingClock(), tmp_path / "one", mounted) == b"s" * 32
    assert not (tmp_path / "one" / FILE).exists()


async def test_two_who_make_it_at_once_have_the_same(engine: SqliteEngine, tmp_path: Path) -> None:
    first = installation_secret(tmp_path)
    _write(tmp_path / FILE)
    assert installation_secret(tmp_path) == first
    assert sorted(os.listdir(tmp_path)) == ["engine", FILE]

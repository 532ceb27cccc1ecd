"""Users, sessions and keys: who somebody is, and when not any more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from hub.accounts import Accounts, SessionLimits, Throttled, Unauthenticated
from hub.accounts.credentials import Passwords, key_id, new_key, new_token, session_id
from schemas.accounts import Role, Scope, Session, User, user_id
from schemas.errors import Conflict, Invalid, Unknown
from schemas.events import SYSTEM
from schemas.parking import Audited
from schemas.steps import START, References
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.hub.http.company import CHEAP, FixedClock

PASSWORD = "correct horse battery"
HERE = "192.0.2.1"


class World:
    def __init__(self, engine: SqliteEngine, clock: FixedClock) -> None:
        self.engine = engine
        self.clock = clock
        self.accounts = Accounts(engine, clock, Passwords(CHEAP))

    async def user(self, name: str = "ines", role: Role = Role.AGENT, queue: str = "orders") -> User:
        _, password = await self.accounts.users.create(name, {queue: role}, SYSTEM)
        await self.accounts.users.change_password(name, password, PASSWORD, SYSTEM)
        return await self.accounts.users.get(name)

    async def sign_in(
        self, name: str = "ines", password: str = PASSWORD, address: str = HERE
    ) -> tuple[str, Session]:
        token, session, _ = await self.accounts.sign_in(name, password, address, "a browser")
        return token, session

    async def audit(self) -> list[str]:
        records = await self.engine.scan([Topic.AUDIT], START, 1000)
        return [
            each.event.data.action for each in records if each.event and isinstance(each.event.data, Audited)
        ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FixedClock()
    engine = await open_engine(tmp_path / "data", clock=clock)
    yield World(engine, clock)
    await engine.close()


async def test_a_new_user_has_a_one_time_password_that_must_be_changed(world: World) -> None:
    user, password = await world.accounts.users.create("Ines", {"orders": Role.AGENT}, SYSTEM)
    token, _, signed_in = await world.accounts.sign_in("INES", password, HERE, "")
    assert user.name == "ines"
    assert signed_in.must_change_password
    session = await world.accounts.principal_of_session(token)
    assert session is not None
    await world.accounts.change_password(session.session, password, PASSWORD)
    assert not (await world.accounts.users.get("ines")).must_change_password


async def test_a_name_is_taken_once(world: World) -> None:
    await world.user()
    with pytest.raises(Conflict, match="ines"):
        await world.user()


@pytest.mark.parametrize("name", ["", "a b", "../x", "a" * 64, "-x", "é"])
async def test_a_name_that_cannot_stand_in_an_address_is_refused(world: World, name: str) -> None:
    with pytest.raises(Invalid):
        await world.accounts.users.create(name, {}, SYSTEM)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "ines-ines-1", "x" * 201])
async def test_a_weak_password_is_refused(world: World, password: str) -> None:
    await world.user()
    with pytest.raises(Invalid):
        await world.accounts.users.change_password("ines", PASSWORD, password, SYSTEM)


async def test_a_wrong_password_and_a_wrong_name_are_told_alike(world: World) -> None:
    await world.user()
    with pytest.raises(Unauthenticated) as wrong_password:
        await world.sign_in(password="wrong")
    with pytest.raises(Unauthenticated) as wrong_name:
        await world.sign_in("nobody")
    assert str(wrong_password.value) == str(wrong_name.value)


class CountingHasher(PasswordHasher):
    """Counts what it is asked to do."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes):  # type: ignore[no-untyped-def]
        self.verified += 1
        return super().verify(hash, password)


async def test_a_name_that_nobody_has_costs_the_same_work(world: World) -> None:
    hasher = CountingHasher()
    accounts = Accounts(world.engine, world.clock, Passwords(hasher))
    await world.user()
    await world.accounts.users.update("ines", SYSTEM, active=False)
    for name in ("nobody", "ines"):
        with pytest.raises(Unauthenticated):
            await accounts.sign_in(name, PASSWORD, HERE, "")
    assert hasher.verified == 2


async def test_guessing_is_throttled_for_a_name_known_or_not(world: World) -> None:
    await world.user()
    for name in ("ines", "nobody"):
        for _ in range(5):
            with pytest.raises(Unauthenticated):
                await world.sign_in(name, "wrong")
        with pytest.raises(Throttled) as throttled:
            await world.sign_in(name, PASSWORD)
        assert throttled.value.retry_after_seconds > 0
    world.clock.advance(minutes=3)
    await world.sign_in("ines")


async def test_a_stranger_elsewhere_does_not_lock_the_user_out_at_once(world: World) -> None:
    await world.user()
    for _ in range(6):
        with pytest.raises((Unauthenticated, Throttled)):
            await world.sign_in(password="wrong", address="198.51.100.7")
    await world.sign_in(address=HERE)


async def test_an_address_that_tries_many_names_is_throttled(world: World) -> None:
    for index in range(30):
        with pytest.raises(Unauthenticated):
            await world.sign_in(f"name{index}")
    with pytest.raises(Throttled):
        await world.sign_in("another")


async def test_good_sign_ins_are_not_throttled(world: World) -> None:
    await world.user()
    for _ in range(40):
        await world.sign_in()


async def test_the_store_holds_no_token_no_password_and_no_key(world: World) -> None:
    await world.user()
    token, session = await world.sign_in()
    _, text = await world.accounts.keys.create("k", [Scope.READ], {}, SYSTEM)
    kept = b"".join(path.read_bytes() for path in world.engine.folder.rglob("*") if path.is_file())
    for secret in (token, PASSWORD, text):
        assert secret.encode() not in kept
    assert session.id == session_id(token)


async def test_a_session_ends_when_it_is_idle_and_after_its_longest_time(world: World) -> None:
    limits = SessionLimits(idle=timedelta(hours=1), longest=timedelta(hours=3))
    accounts = Accounts(world.engine, world.clock, Passwords(CHEAP), limits)
    await world.user()
    idle, _, _ = await accounts.sign_in("ines", PASSWORD, HERE, "")
    used, _, _ = await accounts.sign_in("ines", PASSWORD, HERE, "")
    for _ in range(5):
        world.clock.advance(minutes=31)
        assert await accounts.principal_of_session(used)
    assert await accounts.principal_of_session(idle) is None
    world.clock.advance(minutes=31)
    assert await accounts.principal_of_session(used) is None


async def test_a_revoked_session_is_over_and_a_purge_forgets_old_ones(world: World) -> None:
    await world.user()
    token, session = await world.sign_in()
    await world.sign_in()
    await world.accounts.sessions.revoke(session.id, SYSTEM)
    assert await world.accounts.principal_of_session(token) is None
    with pytest.raises(Unknown):
        await world.accounts.sessions.revoke(session.id, SYSTEM)
    world.clock.advance(days=8)
    assert await world.accounts.sessions.purge() == 1
    assert await world.accounts.purge() > 0, "and budgets of tries that are whole again"
    assert await world.accounts.purge() == 0


async def test_rights_hold_from_the_next_request_on(world: World) -> None:
    await world.user()
    token, _ = await world.sign_in()
    await world.accounts.users.update("ines", SYSTEM, roles={"billing": Role.SUPERVISOR})
    changed = await world.accounts.principal_of_session(token)
    assert changed is not None
    assert changed.principal.roles == {"billing": Role.SUPERVISOR}
    await world.accounts.users.deactivate("ines", SYSTEM)
    assert await world.accounts.principal_of_session(token) is None


async def test_a_changed_password_ends_the_other_sessions(world: World) -> None:
    await world.user()
    other, _ = await world.sign_in()
    mine, session = await world.sign_in()
    await world.accounts.change_password(session, PASSWORD, "another long password")
    assert await world.accounts.principal_of_session(other) is None
    assert await world.accounts.principal_of_session(mine)


async def test_the_last_admin_stays(world: World) -> None:
    await world.user("root", Role.ADMIN, "*")
    with pytest.raises(Invalid, match="administer"):
        await world.accounts.users.deactivate("root", SYSTEM)
    await world.user("second", Role.ADMIN, "*")
    await world.accounts.users.deactivate("root", SYSTEM)


async def test_two_changes_at_once_are_both_kept(world: World) -> None:
    await world.user()
    await asyncio.gather(
        world.accounts.users.update("ines", SYSTEM, title="Ines Vega"),
        world.accounts.users.update("ines", SYSTEM, address="ines@example.net"),
    )
    user = await world.accounts.users.get("ines")
    assert (user.title, user.address) == ("Ines Vega", "ines@example.net")


async def test_a_hash_of_weaker_parameters_is_renewed_when_its_user_signs_in(world: World) -> None:
    before = await world.user()
    stronger = Accounts(
        world.engine, world.clock, Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    )
    await stronger.sign_in("ines", PASSWORD, HERE, "")
    after = await world.accounts.users.get("ines")
    assert after.password_hash != before.password_hash
    await stronger.sign_in("ines", PASSWORD, HERE, "")


async def test_a_key_opens_what_its_scopes_and_roles_say_until_it_is_revoked(world: World) -> None:
    key, text = await world.accounts.keys.create("shop", [Scope.READ], {"orders": Role.AGENT}, SYSTEM)
    principal = await world.accounts.principal_of_key(text)
    assert principal is not None
    assert (principal.kind, principal.id) == ("key", str(key.id))
    assert set(principal.scopes) == {Scope.READ}
    assert text.startswith(f"{key.prefix}_")
    assert text.endswith(key.last_four)
    await world.accounts.keys.revoke(key.id, SYSTEM)
    assert await world.accounts.principal_of_key(text) is None
    assert (await world.accounts.keys.revoke(key.id, SYSTEM)).revoked_at == world.clock.now()


async def test_a_key_revoked_by_another_process_is_no_longer_good_after_ten_seconds(world: World) -> None:
    key, text = await world.accounts.keys.create("shop", [Scope.READ], {}, SYSTEM)
    assert await world.accounts.principal_of_key(text)
    await Accounts(world.engine, world.clock, Passwords(CHEAP)).keys.revoke(key.id, SYSTEM)
    world.clock.advance(seconds=11)
    assert await world.accounts.principal_of_key(text) is None


async def test_a_key_expires(world: World) -> None:
    expires_at = world.clock.now() + timedelta(days=1)
    _, text = await world.accounts.keys.create("shop", [Scope.READ], {}, SYSTEM, expires_at)
    assert await world.accounts.principal_of_key(text)
    world.clock.advance(days=1)
    assert await world.accounts.principal_of_key(text) is None
    with pytest.raises(Invalid):
        await world.accounts.keys.create("late", [Scope.READ], {}, SYSTEM, expires_at)


@pytest.mark.parametrize(
    "text",
    ["", "hk_", "hk_a_b", "x" * 10_000, new_key().text, "hk_\x00_\ud800"],
    ids=["empty", "prefix", "short", "long", "unknown", "undecodable"],
)
async def test_what_is_no_key_of_ours_opens_nothing(world: World, text: str) -> None:
    assert await world.accounts.principal_of_key(text) is None
    assert await world.accounts.principal_of_session(text.replace("\ud800", "")) is None


async def test_everything_is_in_the_audit_trail_and_no_secret_is(world: World) -> None:
    await world.user()
    with pytest.raises(Unauthenticated):
        await world.sign_in(password="wrong password")
    _, session = await world.sign_in()
    await world.accounts.users.update("ines", SYSTEM, roles={"billing": Role.AGENT})
    key, text = await world.accounts.keys.create("shop", [Scope.READ], {}, SYSTEM)
    await world.accounts.keys.revoke(key.id, SYSTEM)
    await world.accounts.sign_out(session)
    assert await world.audit() == [
        "user-created", "password-changed", "sign-in-failed", "signed-in",
        "user-changed", "key-created", "key-revoked", "signed-out",
    ]  # fmt: skip
    records = await world.engine.scan([Topic.AUDIT], START, 1000)
    written = b"".join(each.value for each in records)
    assert b"wrong password" not in written
    assert text.encode() not in written


async def test_failed_sign_ins_are_counted_until_a_good_one(world: World) -> None:
    await world.user()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await world.sign_in(password="wrong")
    assert len((await world.accounts.users.get("ines")).failed_sign_ins) == 3
    await world.sign_in()
    assert (await world.accounts.users.get("ines")).failed_sign_ins == ()


async def test_ids_derive_from_what_is_secret_and_tell_nothing_of_it(world: World) -> None:
    token, key = new_token(), new_key()
    assert session_id(token) == session_id(token)
    assert key_id(key.text) != session_id(key.text)
    assert key.text not in repr(key)
    found = await world.engine.load(References(documents={User: {user_id("nobody")}}))
    assert not found.documents


async def test_two_processes_count_the_same_tries_and_a_restart_forgets_none(world: World) -> None:
    await world.user()
    other = Accounts(world.engine, world.clock, Passwords(CHEAP))
    tries = [each.sign_in("ines", "wrong", HERE, "") for each in (world.accounts, other) * 6]
    failures = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(each).__name__ for each in failures) == ["Throttled"] * 7 + ["Unauthenticated"] * 5
    restarted = Accounts(world.engine, world.clock, Passwords(CHEAP))
    with pytest.raises(Throttled):
        await restarted.sign_in("ines", PASSWORD, HERE, "")


async def test_an_office_signs_in_at_two_processes_at_once(world: World) -> None:
    for number in range(12):
        await world.user(f"agent{number}")
    other = Accounts(world.engine, world.clock, Passwords(CHEAP))
    await asyncio.gather(
        *(
            each.sign_in(f"agent{number}", PASSWORD, HERE, "")
            for number, each in enumerate((world.accounts, other) * 6)
        )
    )

"""The second factor: the codes of RFC 6238, each good once, and the way back for who lost the device."""

import asyncio
from base64 import b32decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.accounts import Accounts, Throttled, Unauthenticated
from hub.accounts.credentials import Passwords
from hub.accounts.totp import code_at, matching_step, qr_svg, step_at
from hub.http.streams import Follower
from schemas.accounts import Principal, Role, Session, User, user_id
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.parking import Audited
from schemas.steps import START, References
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.hub.http.company import CHEAP, FixedClock, House

PASSWORD = "correct horse battery"
HERE = "192.0.2.1"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_the_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    """RFC 6238, appendix B."""
    step = step_at(datetime.fromtimestamp(seconds, UTC))
    assert code_at(b"12345678901234567890", step, digits=8) == code


def test_a_code_holds_one_step_around_and_never_again() -> None:
    now = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
    secret, step = b"12345678901234567890", step_at(now)
    for offset, found in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        assert matching_step(secret, code_at(secret, step + offset), now, 0) == found
    assert matching_step(secret, code_at(secret, step), now, step) is None


def test_the_qr_code_has_no_style_and_no_script_of_its_own() -> None:
    drawn = qr_svg("otpauth://totp/x?secret=ABC")
    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "script" not in drawn


class World:
    def __init__(self, engine: SqliteEngine, clock: FixedClock, required: tuple[Role, ...] = ()) -> None:
        self.engine, self.clock = engine, clock
        self.accounts = Accounts(engine, clock, Passwords(CHEAP), secret=b"s" * 32, must_have_factor=required)
        self.seed = b""

    async def user(self, role: Role = Role.AGENT) -> None:
        _, password = await self.accounts.users.create("ines", {"orders": role}, SYSTEM)
        await self.accounts.users.change_password("ines", password, PASSWORD, SYSTEM)

    def code(self) -> str:
        return code_at(self.seed, step_at(self.clock.now()))

    async def password(self) -> tuple[str, Session]:
        token, session, _ = await self.accounts.sign_in("ines", PASSWORD, HERE, "a browser")
        return token, session

    async def set_up(self) -> tuple[str, ...]:
        """Returns the recovery codes."""
        _, session = await self.password()
        offer = await self.accounts.factors.offer("ines")
        self.seed = seed_of(offer.uri)
        codes = await self.accounts.confirm_factor(session, self.code())
        self.clock.advance(seconds=30)
        return codes

    async def enter(self, token: str, code: str) -> str:
        return (await self.accounts.enter_code(token, code, HERE, ""))[0]

    async def stored(self) -> User:
        found = await self.engine.load(References(documents={User: {user_id("ines")}}))
        user = found.documents[user_id("ines")]
        assert isinstance(user, User)
        return user

    async def audit(self) -> list[str]:
        records = await self.engine.scan([Topic.AUDIT], START, 1000)
        return [
            each.event.data.action for each in records if each.event and isinstance(each.event.data, Audited)
        ]


def seed_of(uri: str) -> bytes:
    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return b32decode(text + "=" * (-len(text) % 8))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FixedClock()
    engine = await open_engine(tmp_path / "data", clock=clock)
    made = World(engine, clock)
    await made.user()
    yield made
    await engine.close()


async def test_a_password_alone_opens_nothing_where_there_is_a_second_factor(world: World) -> None:
    await world.set_up()
    token, session = await world.password()
    assert session.awaits_code
    assert await world.accounts.principal_of_session(token) is None
    other = await world.enter(token, world.code())
    assert other != token
    assert await world.accounts.principal_of_session(other) is not None
    assert await world.accounts.principal_of_session(token) is None


async def test_a_code_is_good_once_even_in_another_sign_in(world: World) -> None:
    await world.set_up()
    first, _ = await world.password()
    second, _ = await world.password()
    code = world.code()
    await world.enter(first, code)
    with pytest.raises(Unauthenticated, match="used already"):
        await world.enter(second, code)
    world.clock.advance(seconds=30)
    await world.enter(second, world.code())


async def test_the_code_that_set_it_up_signs_nobody_in(world: World) -> None:
    _, session = await world.password()
    offer = await world.accounts.factors.offer("ines")
    world.seed = seed_of(offer.uri)
    await world.accounts.confirm_factor(session, world.code())
    token, _ = await world.password()
    with pytest.raises(Unauthenticated):
        await world.enter(token, world.code())


async def test_guessing_codes_is_throttled_wherever_it_comes_from(world: World) -> None:
    await world.set_up()
    wrong = f"{(int(world.code()) + 1) % 1000000:06}"
    for _ in range(5):
        token, _ = await world.password()
        with pytest.raises(Unauthenticated):
            await world.enter(token, wrong)
    token, _ = await world.password()
    with pytest.raises(Throttled):
        await world.enter(token, world.code())


async def test_the_time_for_the_code_is_short(world: World) -> None:
    await world.set_up()
    token, _ = await world.password()
    world.clock.advance(minutes=6)
    with pytest.raises(Unauthenticated, match="begin again"):
        await world.enter(token, world.code())


async def test_a_recovery_code_is_good_once_and_kept_as_a_hash(world: World) -> None:
    codes = await world.set_up()
    assert len(set(codes)) == 10
    kept = (await world.stored()).model_dump_json()
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    token, _ = await world.password()
    await world.enter(token, codes[3].upper().replace("-", " "))
    token, _ = await world.password()
    with pytest.raises(Unauthenticated):
        await world.enter(token, codes[3])
    assert "recovery-code-used" in await world.audit()


async def test_the_store_holds_no_secret(world: World) -> None:
    _, session = await world.password()
    offer = await world.accounts.factors.offer("ines")
    world.seed = seed_of(offer.uri)
    await world.accounts.confirm_factor(session, world.code())
    kept = (await world.stored()).model_dump_json()
    assert offer.secret not in kept
    assert world.seed.hex() not in kept


async def test_setting_it_up_ends_the_sessions_that_came_without_it(world: World) -> None:
    other, _ = await world.password()
    await world.set_up()
    assert await world.accounts.principal_of_session(other) is None


async def test_an_administrator_takes_it_off_and_that_is_recorded(world: World) -> None:
    await world.set_up()
    token, _ = await world.password()
    token = await world.enter(token, world.code())
    await world.accounts.reset_factor("ines", SYSTEM)
    assert await world.accounts.principal_of_session(token) is None
    assert (await world.audit())[-2:] == ["second-factor-reset", "sessions-revoked"]
    _, session = await world.password()
    assert not session.awaits_code


async def test_who_must_have_one_cannot_give_it_up(world: World) -> None:
    strict = World(world.engine, world.clock, (Role.AGENT,))
    await strict.set_up()
    with pytest.raises(Invalid, match="stays"):
        await strict.accounts.factors.drop("ines", SYSTEM)


async def test_over_http_from_setting_up_to_the_reset(home: House) -> None:
    async with home.signed_in("ines") as client:
        url = "/api/v1/session/second-factor"
        refused = await client.post(url, json={"password": "not mine at all"})
        offer = (await client.post(url, json={"password": "correct horse battery"})).json()
        seed = seed_of(offer["uri"])
        code = code_at(seed, step_at(home.clock.now()))
        confirmed = await client.post(f"{url}/confirm", json={"code": code})
        shown = (await client.get(url)).json()
    assert refused.status_code == 422
    assert "<svg" in offer["qr_svg"]
    assert len(confirmed.json()["recovery_codes"]) == shown["recovery_codes_left"] == 10
    home.clock.advance(seconds=30)
    async with home.client() as client:
        waits = await client.post("/api/v1/session", json={"name": "ines", "password": PASSWORD})
        nothing = await client.get("/api/v1/cases")
        body = {"code": code_at(seed, step_at(home.clock.now()))}
        opened = await client.post("/api/v1/session/code", json=body)
        cases = await client.get("/api/v1/cases")
    assert (waits.json()["awaits_code"], waits.json()["csrf"], waits.json()["roles"]) == (True, None, {})
    assert (nothing.status_code, opened.status_code, cases.status_code) == (401, 201, 200)
    async with home.signed_in("root") as root:
        assert (await root.get("/api/v1/users/ines")).json()["has_second_factor"]
        assert (await root.delete("/api/v1/users/ines/second-factor")).status_code == 204
    async with home.signed_in("ines") as client:
        assert (await client.get("/api/v1/cases")).status_code == 200


async def test_a_role_that_must_have_one_opens_nothing_before(home: House) -> None:
    strict = Accounts(
        home.engine, home.clock, Passwords(CHEAP), secret=b"s" * 32, must_have_factor=(Role.AGENT,)
    )
    strict_home = home.rebuilt(accounts=strict)
    async with strict_home.signed_in("ines") as client:
        refused = await client.get("/api/v1/cases")
        me = (await client.get("/api/v1/session")).json()
        body = {"password": PASSWORD}
        offer = (await client.post("/api/v1/session/second-factor", json=body)).json()
        code = code_at(seed_of(offer["uri"]), step_at(home.clock.now()))
        await client.post("/api/v1/session/second-factor/confirm", json={"code": code})
        allowed = await client.get("/api/v1/cases")
    assert refused.status_code == 403
    assert "second-factor" in refused.json()["detail"]
    assert me["must_set_up_factor"]
    assert allowed.status_code == 200


async def test_what_a_session_follows_ends_with_it_and_not_at_the_next_sign_of_life(home: House) -> None:
    token, session, _ = await home.accounts.sign_in("ines", PASSWORD, HERE, "")

    async def renew() -> Principal | None:
        found = await home.accounts.principal_of_session(token)
        return found.principal if found else None

    principal = await renew()
    assert principal is not None
    follower = Follower(home.context, [Topic.CASES], await home.engine.tail(), principal, renew)

    async def follow() -> None:
        async for _ in follower.batches():
            pass

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await home.accounts.sessions.revoke(session.id, SYSTEM)
    await asyncio.wait_for(following, home.context.facts.limits.heartbeat_seconds - 1)
    assert follower.reason == "revoked"

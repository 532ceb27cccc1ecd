"""The second factor of a sign-in: codes by time, each good once, and codes for who lost the device.

What the codes are made from is itself made from the installation's secret and a salt: the store holds nothing that could be read.
"""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from hub.accounts.errors import Unauthenticated
from hub.accounts.records import audited, changed, decided_again, load
from hub.accounts.totp import SECRET_BYTES, matching_step, provisioning_uri, secret_text
from schemas.accounts import Role, SecondFactor, User, user_id
from schemas.errors import Invalid, Unknown
from schemas.events import Actor
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Step

RECOVERY_CODES = 10
RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
SALT_BYTES = 16
CODE = re.compile(r"[0-9]{6}")
WRONG = "the code is not right, or it was used already"
NONE = "no second factor is set up"


@dataclass(frozen=True, slots=True)
class Offer:
    """What an authenticator app is told. Shown once: it cannot be asked for again."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


class SecondFactors:
    """`secret` is a key of the installation's, for this alone. `required` are the roles that must have one."""

    def __init__(
        self, engine: Engine, clock: Clock, secret: bytes, required: Collection[Role], issuer: str = "Hubbub"
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._secret = secret
        self._required = frozenset(required)
        self._issuer = issuer

    def is_required(self, user: User) -> bool:
        return not self._required.isdisjoint(user.roles.values())

    async def offer(self, name: str) -> Offer:
        """Begin to set one up; the one in use stays until a code of the new one came. Asked again, it is another."""
        salt = secrets.token_hex(SALT_BYTES)

        async def attempt() -> None:
            await self._write(await self._user(name), {"offered_factor": salt})

        await decided_again(attempt)
        seed = self._seed(name, salt)
        return Offer(secret_text(seed), provisioning_uri(seed, name, self._issuer))

    async def confirm(self, name: str, code: str, actor: Actor) -> tuple[str, ...]:
        """The device shows right codes: from now on it is asked for. Returns the recovery codes, once. Raises Invalid."""
        shown = _recovery_codes()

        async def attempt() -> None:
            user = await self._user(name)
            if not user.offered_factor:
                raise Invalid("nothing is being set up", {"code": "begin again"})
            now = self._clock.now()
            step = matching_step(self._seed(name, user.offered_factor), _plain(code), now, 0)
            if step is None:
                raise Invalid("the second factor was not set up", {"code": WRONG})
            kept = tuple(self._hash(name, each) for each in shown)
            factor = SecondFactor(salt=user.offered_factor, since=now, last_step=step, recovery=kept)
            changes = {"second_factor": factor, "offered_factor": ""}
            await self._write(user, changes, actor, "second-factor-set-up")

        await decided_again(attempt)
        return shown

    async def use(self, name: str, code: str, actor: Actor) -> None:
        """Take a code, of the device or of the list, once. Raises Unauthenticated."""

        async def attempt() -> None:
            user = await self._user(name)
            factor = user.second_factor
            if factor is None:
                raise Unauthenticated(WRONG)
            plain = _plain(code)
            if CODE.fullmatch(plain):
                seed = self._seed(name, factor.salt)
                step = matching_step(seed, plain, self._clock.now(), factor.last_step)
                if step is None:
                    raise Unauthenticated(WRONG)
                used = factor.model_copy(update={"last_step": step})
                await self._write(user, {"second_factor": used})
                return
            given = self._hash(name, plain)
            left = tuple(each for each in factor.recovery if not hmac.compare_digest(each, given))
            if len(left) == len(factor.recovery):
                raise Unauthenticated(WRONG)
            used = factor.model_copy(update={"recovery": left})
            await self._write(
                user, {"second_factor": used}, actor, "recovery-code-used", {"left": str(len(left))}
            )

        await decided_again(attempt)

    async def renew_recovery(self, name: str, actor: Actor) -> tuple[str, ...]:
        """New recovery codes, returned once; the old ones are no longer good."""
        shown = _recovery_codes()

        async def attempt() -> None:
            user = await self._user(name)
            if user.second_factor is None:
                raise Invalid(NONE)
            kept = tuple(self._hash(name, each) for each in shown)
            factor = user.second_factor.model_copy(update={"recovery": kept})
            await self._write(user, {"second_factor": factor}, actor, "recovery-codes-renewed")

        await decided_again(attempt)
        return shown

    async def drop(self, name: str, actor: Actor) -> None:
        """The user's own decision. Raises Invalid where a role of theirs must have one."""
        if self.is_required(await self._user(name)):
            raise Invalid("the second factor stays", {"code": "your role must have one"})
        await self._forget(name, actor, "second-factor-dropped")

    async def reset(self, name: str, actor: Actor) -> None:
        """For who lost device and list. What was never set up is no error, and no fact either."""
        await self._forget(name, actor, "second-factor-reset")

    async def _forget(self, name: str, actor: Actor, action: str) -> None:
        async def attempt() -> None:
            user = await self._user(name)
            if user.second_factor is not None or user.offered_factor:
                await self._write(user, {"second_factor": None, "offered_factor": ""}, actor, action)

        await decided_again(attempt)

    def _seed(self, name: str, salt: str) -> bytes:
        return hmac.digest(self._secret, f"code\x1f{name}\x1f{salt}".encode(), "sha256")[:SECRET_BYTES]

    def _hash(self, name: str, code: str) -> str:
        """A slow hash is not needed: nobody guesses 79 bits, and the key is not in the store."""
        return hmac.digest(self._secret, f"recovery\x1f{name}\x1f{_plain(code)}".encode(), "sha256").hex()

    async def _user(self, name: str) -> User:
        user = await load(self._engine, User, user_id(name))
        if user is None:
            raise Unknown(said("there is no user {name!r}", name=name))
        return user

    async def _write(
        self,
        user: User,
        changes: dict[str, object],
        actor: Actor | None = None,
        action: str = "",
        detail: dict[str, str] | None = None,
    ) -> None:
        step = Step(documents=[changed(user, changes)])
        if actor is not None:
            step.events.append(audited(self._clock.now(), actor, action, user.name, detail))
        await self._engine.commit(step)


def _plain(code: str) -> str:
    """As it is compared: people type blanks, dashes and capitals."""
    return "".join(letter for letter in code[:100].lower() if letter.isascii() and letter.isalnum())


def _recovery_codes() -> tuple[str, ...]:
    groups = ("".join(secrets.choice(RECOVERY_LETTERS) for _ in range(4)) for _ in range(4 * RECOVERY_CODES))
    listed = list(groups)
    return tuple("-".join(listed[at : at + 4]) for at in range(0, len(listed), 4))

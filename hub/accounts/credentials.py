"""Passwords, tokens and API keys: made with the system's randomness, kept as hashes only."""

import asyncio
import hashlib
import secrets
import unicodedata
from base64 import b32encode, urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from schemas.errors import Invalid, Outage
from schemas.ids import derive
from schemas.sentences import said

TOKEN_BYTES = 32
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
KEY_MARK = "hk"
HASHES_AT_ONCE = 2  # each takes 64 MiB and a core for about 50 ms
WAITING_AT_MOST = 64


def new_token() -> str:
    """256 random bits, as text for a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def session_id(token: str) -> UUID:
    """Under what a session is kept: made from the SHA-256 of its token, so that the store gives no token away."""
    return derive("session", hashlib.sha256(token.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key as it is shown once: `hk_<prefix>_<secret>`."""

    text: str = field(repr=False)
    prefix: str
    last_four: str


def new_key(seed: bytes = b"") -> NewKey:
    """A key that nobody can guess. Of the same seed, which is secret and at least 32 bytes then, it is the same."""
    drawn = hashlib.shake_256(seed).digest(5 + TOKEN_BYTES) if seed else secrets.token_bytes(5 + TOKEN_BYTES)
    prefix = b32encode(drawn[:5]).decode().lower()
    text = f"{KEY_MARK}_{prefix}_{urlsafe_b64encode(drawn[5:]).rstrip(b'=').decode()}"
    return NewKey(text, f"{KEY_MARK}_{prefix}", text[-4:])


def key_id(text: str) -> UUID:
    """Under what a key is kept: made from its SHA-256. A slow hash is not needed: nobody guesses 256 bits."""
    return derive("api-key", hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())


def one_time_password() -> str:
    """Twelve letters and digits in three groups that read out well (60 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))


def normalized(password: str) -> str:
    """The same password, however a keyboard composes its letters (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_new_password(password: str, name: str) -> None:
    """Raises Invalid when a password is too short, too long or the user's own name."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        wrong: str = said("use {least} to {n} characters", least=SHORTEST_PASSWORD, n=LONGEST_PASSWORD)
    elif name.lower() in password.lower() and len(password) < len(name) + SHORTEST_PASSWORD:
        wrong = "use a password that is more than your user name"
    elif len(set(password)) < 4:
        wrong = "use more than three different characters"
    else:
        return
    raise Invalid("the new password cannot be used", {"password": wrong})


class Passwords:
    """Argon2id (RFC 9106) in threads, two at a time, so that a flood of sign-ins cannot take the memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, normalized(password))

    async def verify(self, stored: str, password: str) -> bool:
        """Whether this is the password. An empty `stored` costs the same work and is never right."""
        async with self._turn():
            return await asyncio.to_thread(self._verify, stored, normalized(password))

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than are in use now."""
        return self._hasher.check_needs_rehash(stored)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_AT_MOST:
            raise Outage("too many people sign in at this moment", retry_after_seconds=5)
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    def _verify(self, stored: str, password: str) -> bool:
        if self._decoy is None:
            self._decoy = self._hasher.hash(secrets.token_hex(16))
        try:
            self._hasher.verify(stored or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)

"""Every id is derived, so that doing a thing again gives the same id (UUIDv5, RFC 9562 section 5.5)."""

import hashlib
import hmac
from uuid import UUID, SafeUUID

NAMESPACE = UUID("6d1c1a0e-6d5f-5c0a-9d0f-3d6f8a4b7e21")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 10
SEPARATOR = "\x1f"
PREFIX = NAMESPACE.bytes
WITHOUT_VERSION = (1 << 128) - 1 & ~(0xF000 << 64 | 0xC000 << 48)
VERSION_5 = 5 << 76 | 0x8000 << 48
UNKNOWN = SafeUUID.unknown  # looked up once: an enum's member is found through a descriptor
_set = object.__setattr__


def derive(*parts: str) -> UUID:
    """The id of what the parts name together; the order of the parts matters."""
    digest = hashlib.sha1(PREFIX + SEPARATOR.join(parts).encode(), usedforsecurity=False).digest()
    return _uuid(int.from_bytes(digest[:16], "big") & WITHOUT_VERSION | VERSION_5)


def from_bytes(stored: bytes) -> UUID:
    """The id that these 16 bytes are."""
    return _uuid(int.from_bytes(stored, "big"))


def _uuid(number: int) -> UUID:
    """UUID(int=number) without its look at what else could have been given: 0.4 µs for 0.9, several times an event."""
    id = UUID.__new__(UUID)
    _set(id, "int", number)
    _set(id, "is_safe", UNKNOWN)
    return id


def item_id(channel: str, account: str, provider_id: str) -> UUID:
    """The id of one item that a source gave us, the same for each redelivery."""
    return derive("item", channel, account, provider_id)


def part_id(item: UUID, index: int) -> UUID:
    """The id of the event made of one part of an item."""
    return derive("part", item.hex, str(index))


def effect_id(cause: UUID, consumer: str, index: int) -> UUID:
    """The id of what `consumer` emits as its `index`-th answer to the event `cause`."""
    return derive("effect", cause.hex, consumer, str(index))


def command_id(principal: str, idempotency_key: str) -> UUID:
    """The id of a request to the API: the same key of the same principal is the same request."""
    return derive("command", principal, idempotency_key)


def case_id(interaction: UUID) -> UUID:
    """The id of the case that an interaction opens. Known before the case exists, so a form can show the number."""
    return derive("case", interaction.hex)


def case_number(case: UUID) -> str:
    """The number people read out: 50 bits of the case id in Crockford's base 32, as `7K3M9-Q2XAB`."""
    value = case.int >> 78
    digits = [CROCKFORD[(value >> shift) & 31] for shift in range(45, -1, -5)]
    return "".join(digits[:5]) + "-" + "".join(digits[5:])


def parse_case_number(text: str) -> str | None:
    """The canonical spelling of a case number that a person typed, or None. O is 0, I and L are 1 (Crockford)."""
    plain = text.strip().upper().lstrip("#").replace("-", "").replace(" ", "")
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    if len(plain) != NUMBER_LENGTH or any(letter not in CROCKFORD for letter in plain):
        return None
    return plain[:5] + "-" + plain[5:]


def handle_id(secret: bytes, scheme: str, value: str) -> UUID:
    """The id of a handle: an HMAC with the installation's secret, so that ids do not give addresses away."""
    digest = hmac.digest(secret, f"{scheme}{SEPARATOR}{value}".encode(), "sha256")
    return UUID(bytes=digest[:16])


def sha256(content: bytes) -> str:
    """The name of a blob: the SHA-256 of its bytes, in lower-case hex."""
    return hashlib.sha256(content).hexdigest()

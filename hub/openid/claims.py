"""What an ID token says: checked as OpenID Connect Core 1.0, section 3.1.3.7, demands, and turned into a name and roles.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub.accounts.errors import Unauthenticated
from hub.openid.person import Person
from hub.openid.settings import OpenIdProvider
from schemas.accounts import RANK, Role

CLOCKS_DIFFER = timedelta(minutes=1)
OLDEST_TOKEN = timedelta(minutes=10)
LONGEST_SUBJECT = 255
LONGEST_TEXT = 200
VALUES_AT_MOST = 1000

Claims = Mapping[str, object]


class NotBelieved(Unauthenticated):
    """The provider's answer does not hold. The reason is for the log; a page says only that it did not work."""


def check(claims: Claims, settings: OpenIdProvider, nonce: str, now: datetime) -> str:
    """The subject of a token whose signature held. Raises NotBelieved."""
    if claims.get("iss") != settings.issuer:
        raise NotBelieved("the token is of another issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if settings.client_id not in audiences:
        raise NotBelieved("the token is for somebody else")
    authorized = claims.get("azp")
    if (len(audiences) > 1 or authorized is not None) and authorized != settings.client_id:
        raise NotBelieved("the token was given to somebody else")
    if now - CLOCKS_DIFFER >= _moment(claims, "exp", now):
        raise NotBelieved("the token is over")
    issued = _moment(claims, "iat", now)
    if not now - OLDEST_TOKEN <= issued <= now + CLOCKS_DIFFER:
        raise NotBelieved("the token was made at another time")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise NotBelieved("the token answers another request")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise NotBelieved("the token names nobody")
    return subject


def _moment(claims: Claims, name: str, now: datetime) -> datetime:
    seconds = claims.get(name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise NotBelieved(f"the token has no {name}")
    try:
        return datetime.fromtimestamp(seconds, now.tzinfo)
    except (ValueError, OverflowError, OSError):
        raise NotBelieved(f"the token's {name} is no time") from None


def person(provider: str, settings: OpenIdProvider, subject: str, claims: Claims) -> Person:
    return Person(
        provider=provider,
        issuer=settings.issuer,
        subject=subject,
        name=_text(claims, settings.name_claim),
        title=_text(claims, "name"),
        address=_text(claims, "email"),
        is_verified=claims.get("email_verified") is True,
        roles=roles_of(settings, claims) if settings.roles else None,
    )


def lacks(settings: OpenIdProvider, claims: Claims) -> bool:
    """Whether the token leaves out what the provider may say elsewhere (its userinfo)."""
    wanted = [settings.name_claim, *([settings.roles_claim] if settings.roles else [])]
    return any(_inner(claims, each) is None for each in wanted)


def roles_of(settings: OpenIdProvider, claims: Claims) -> dict[str, Role]:
    """In each queue the highest that any value of the claim gives."""
    found: dict[str, Role] = {}
    for value in values_of(_inner(claims, settings.roles_claim)):
        for queue, role in settings.roles.get(value, {}).items():
            if queue not in found or RANK[role] > RANK[found[queue]]:
                found[queue] = role
    return found


def values_of(claim: object) -> Sequence[str]:
    listed = claim if isinstance(claim, list) else [claim]
    return [each for each in listed[:VALUES_AT_MOST] if isinstance(each, str)]


def _inner(claims: Claims, path: str) -> object:
    """A claim by its name, else by the way that the dots lead."""
    if path in claims:
        return claims[path]
    held: object = claims
    for name in path.split("."):
        held = held.get(name) if isinstance(held, Mapping) else None
    return held


def _text(claims: Claims, name: str) -> str:
    value = _inner(claims, name)
    return value.strip()[:LONGEST_TEXT] if isinstance(value, str) and value.isprintable() else ""

"""Who came by single sign-on."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.accounts import Role


@dataclass(frozen=True, slots=True)
class Person:
    """As the provider named `provider` in the settings says."""

    provider: str
    issuer: str
    subject: str
    name: str
    title: str
    address: str
    is_verified: bool
    roles: Mapping[str, Role] | None
    """None: the settings map no roles."""

"""TLS to a server of ours: whom to believe, and who we are."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.configuration import Setting
from schemas.errors import Invalid


class TlsSettings(Setting):
    """TLS with a server. All of it may be left out: `tls: {}` believes the authorities of the system."""

    certificate_authorities: Path | None = Field(
        default=None, description="PEM file of the authorities to believe; none: those of the system"
    )
    certificate: Path | None = Field(
        default=None, description="PEM file of our own certificate, where the server asks for one; with `key`"
    )
    key: Path | None = Field(default=None, description="PEM file of the key of `certificate`")
    key_password: SecretStr | None = Field(default=None, description="password of the key, if it has one")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: set both or neither")
        return self

    def files(self) -> dict[str, Path]:
        """Name of the setting -> the file that it names."""
        named = {
            "certificate_authorities": self.certificate_authorities,
            "certificate": self.certificate,
            "key": self.key,
        }
        return {name: path for name, path in named.items() if path is not None}


def client_context(settings: TlsSettings, place: str) -> ssl.SSLContext:
    """Verifies the server's certificate and its name. Raises Invalid, naming the setting below `place`, for a file that is no use."""
    authorities = settings.certificate_authorities
    try:
        context = ssl.create_default_context(
            ssl.Purpose.SERVER_AUTH, cafile=str(authorities) if authorities else None
        )
    except (OSError, ssl.SSLError) as error:
        raise _unusable(f"{place}.certificate_authorities", authorities, error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate is not None:
        password = settings.key_password
        try:
            context.load_cert_chain(
                settings.certificate,
                settings.key,
                password.get_secret_value if password is not None else _no_password,
            )
        except (OSError, ssl.SSLError, ValueError) as error:
            raise _unusable(f"{place}.certificate", settings.certificate, error) from error
    return context


def _no_password() -> str:
    """Else OpenSSL would ask for one at the terminal."""
    return ""


def _unusable(place: str, path: Path | None, error: Exception) -> Invalid:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    told = f"{path} cannot be used ({reason}); name a PEM file that the hub may read"
    return Invalid(f"{place}: {told}", {place: told})
